# Marks the subject of every message: "Subject: x" becomes "Subject: [list] x".
# Only in the header, which the first empty line ends (RFC 5322, section 2.1); a line may end with CRLF or with LF alone.
1,/^\r\{0,1\}$/s/^[Ss][Uu][Bb][Jj][Ee][Cc][Tt]:[ \t]*/&[list] /
