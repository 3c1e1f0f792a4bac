# Takes the sting out of attachments that a double click would run: "invoice.exe" becomes "invoice.exe.defanged".
#
# Looks at the fields Content-Type and Content-Disposition, in the message's header and in the header of each part, and at
# their continuation lines; bodies pass through as they are. A name that is split or percent-encoded (RFC 2231) is not recognized.

BEGIN {
  DANGEROUS = "[.](exe|com|bat|cmd|scr|pif|js|jse|vbs|vbe|wsf|hta|ps1|lnk|msi|jar|docm|xlsm|pptm)[\"']?[ \t]*(;|\r?$)"
  in_header = 1
}

# A boundary begins a part's header (RFC 2046, section 5.1.1), an empty line ends a header.
/^--/ { in_header = 1; field = "" }
/^\r?$/ { in_header = 0 }

in_header {
  if ($0 !~ /^[ \t]/) {
    field = tolower($0)
    sub(/[ \t]*:.*/, "", field)
  }
  if (field == "content-type" || field == "content-disposition") {
    print defanged($0)
    next
  }
}

{ print }

# The line with ".defanged" after each dangerous ending of a name.
function defanged(line,   done, name) {
  while (match(tolower(line), DANGEROUS)) {
    name = substr(line, RSTART)
    match(name, /^[.][A-Za-z0-9]+/)
    done = done substr(line, 1, length(line) - length(name)) substr(name, 1, RLENGTH) ".defanged"
    line = substr(name, RLENGTH + 1)
  }
  return done line
}
