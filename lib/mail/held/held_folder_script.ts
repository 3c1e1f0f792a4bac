/** The program that works in held folders, in Perl: docs/decisions/0024-held-folders.md says why. */

/**
 * Run as `perl -e SCRIPT ARCHITECTURE ROOT`; the request is its standard input, the answer its standard output (see held_mailbox.ts).
 *
 * Every folder is opened by its name in the folder above, links refused, from the mail folder down, and then known by its descriptor: whatever is
 * renamed meanwhile, all that follows happens in the folders whose device and inode the request names. No name in a request reaches another
 * folder, whoever wrote it.
 */
export const HELD_FOLDER_SCRIPT: string = String.raw`
use strict;
my ($architecture, $root) = @ARGV;
# Numbers of system calls, and the flags that differ between the machines on which the server runs.
my ($OPENAT, $UNLINKAT, $LINKAT, $RENAMEAT2, $STATX, $FSYNC, $MKDIRAT, $FCHMOD, $FCHOWN, $FOLDER, $NO_LINK) =
    $architecture eq "x86_64"  ? (257, 263, 265, 316, 332, 74, 258, 91, 93, 0200000, 0400000)
  : $architecture eq "aarch64" ? (56, 35, 37, 276, 291, 82, 34, 52, 55, 040000, 0100000)
  : refuse("machine");
my ($HERE, $NOREPLACE, $NOFOLLOW, $ITSELF, $REMOVEDIR) = (-100, 1, 0x100, 0x1000, 0x200);
my ($ENOENT, $EEXIST, $EINVAL, $ENOSYS) = (2, 17, 22, 38);

# Says why nothing was done, and ends.
sub refuse { print STDOUT "refused $_[0] ", $! + 0, "\n"; exit 0 }

# Device, inode, owner, group, mode, links, size, and in milliseconds: modified, changed (whole seconds, as the server has it), born.
# Nothing when there is no such file.
sub look {
  my ($folder, $name, $flags) = @_;
  my $buffer = "\0" x 256;
  return if syscall($STATX, $folder, $name, $flags, 0xfff, $buffer) != 0;
  my ($mask, $links, $owner, $group, $mode, $inode, $size, $bs, $bn, $cs, $ms, $mn, $major, $minor) =
      unpack "L x12 L L L S x2 Q Q x32 q L x4 q x8 q L x12 L L", $buffer;
  my $device = ($minor & 0xff) | (($major & 0xfff) << 8) | (($minor & ~0xff) << 12) | (($major & ~0xfff) << 32);
  return ($device, $inode, $owner, $group, $mode, $links, $size, time_of($ms, $mn), time_of($cs, 0),
          $mask & 0x800 ? time_of($bs, $bn) : 0);
}
sub time_of { $_[0] * 1000 + int($_[1] / 1_000_000) }
sub is_file { ($_[0] & 0170000) == 0100000 }

# The server keeps numbers in 64-bit floats, so large ones are compared as it has them.
sub same { pack("d", $_[0]) eq pack("d", $_[1]) }

# A name may stand for nothing but an entry of its folder.
sub name { my $name = shift; refuse("name") if !defined $name || $name eq "" || $name eq "." || $name eq ".." || $name =~ m{/}; $name }

sub open_folder {
  my ($above, $name, $flags) = @_;
  my $folder = syscall($OPENAT, $above, $name, $flags, 0);
  refuse("open") if $folder < 0;
  return $folder;
}

binmode STDIN; binmode STDOUT;
my @fields = split /\0/, do { local $/; my $all = <STDIN>; defined $all ? $all : "" }, -1;
sub field { refuse("request") if @fields < 2; shift @fields }
sub whole { my $value = field(); refuse("request") if $value !~ /^-?\d{1,20}\z/; $value + 0 }

my $command = field();
# The mail folder itself may be a link: its path is the administrator's.
my $mailbox = open_folder($HERE, $root, $FOLDER);
my @place = split m{/}, field(), -1;
refuse("name") if !@place;
$mailbox = open_folder($mailbox, name($_), $FOLDER | $NO_LINK) for @place;
sub expect {
  my ($folder, $device, $inode) = (shift, whole(), whole());
  my @found = look($folder, "", $ITSELF);
  refuse("moved") if !@found || !same($found[0], $device) || !same($found[1], $inode);
}
expect($mailbox);
my @folders;
for (1 .. whole()) {
  my $name = field();
  push @folders, $name eq "" ? $mailbox : open_folder($mailbox, name($name), $FOLDER | $NO_LINK);
  expect($folders[-1]);
}
sub folder { my $at = whole(); refuse("request") if $at < 0 || $at > $#folders; $at }

# A file of a request: where it lies, and how it looked. Gives an answer when it is not there, or not the same.
sub differs {
  my ($folder, $name, $inode, $size, $modified) = @_;
  my @look = look($folder, $name, $NOFOLLOW);
  return $! == $ENOENT ? "gone" : "error " . ($! + 0) if !@look;
  return if is_file($look[4]) && ($inode == 0 || same($look[1], $inode)) && same($look[6], $size)
      && ($modified == 0 || same($look[7], $modified));
  return join " ", "other", is_file($look[4]) ? 1 : 0, @look[0, 1, 2, 6, 7, 8, 9];
}

sub protected_links {
  open my $setting, "<", "/proc/sys/fs/protected_hardlinks" or return 0;
  my $value = <$setting>;
  return defined $value && $value =~ /^1/ ? 1 : 0;
}

my (@answers, %touched);
if ($command eq "list") {
  print "held\n";
  my $protected;
  for my $folder (@folders) {
    open my $handle, "<&=", $folder or exit 1;
    chdir $handle or exit 1;
    opendir my $entries, "." or exit 1;
    while (defined(my $name = readdir $entries)) {
      next if $name =~ /^\./;
      my @look = look($HERE, $name, $NOFOLLOW) or next;
      next if !is_file($look[4]);
      if ($look[5] > 1) {
        # Where the system lets anybody link to others' files, a second link proves nothing.
        $protected = protected_links() if !defined $protected;
        next if !$protected;
      }
      print pack "d<d<", $look[1], $look[7];
    }
  }
  exit 0;
} elsif ($command eq "unlink") {
  while (@fields > 1) {
    my ($at, $name, @look) = (folder(), name(field()), whole(), whole(), whole());
    my $answer = differs($folders[$at], $name, @look);
    if (!defined $answer) {
      $answer = syscall($UNLINKAT, $folders[$at], $name, 0) == 0 ? "done" : $! == $ENOENT ? "gone" : "error " . ($! + 0);
      $touched{$at} = 1 if $answer eq "done";
    }
    push @answers, $answer;
  }
} elsif ($command eq "rename") {
  while (@fields > 1) {
    my ($at, $name, @look) = (folder(), name(field()), whole(), whole(), whole());
    my ($to, $as) = (folder(), name(field()));
    my $answer = differs($folders[$at], $name, @look);
    if (!defined $answer) {
      my $done = syscall($RENAMEAT2, $folders[$at], $name, $folders[$to], $as, $NOREPLACE) == 0;
      if (!$done && ($! == $EINVAL || $! == $ENOSYS)) {
        # A file system without it, as NFS.
        $done = syscall($LINKAT, $folders[$at], $name, $folders[$to], $as, 0) == 0
          && syscall($UNLINKAT, $folders[$at], $name, 0) == 0;
      }
      $answer = $done ? "done" : $! == $ENOENT ? "gone" : $! == $EEXIST ? "taken" : "error " . ($! + 0);
    }
    push @answers, $answer;
  }
} elsif ($command eq "respell") {
  # Gives files whose names are no UTF-8 names that are: %FF for each octet that belongs to no character.
  my $character = qr/[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}
    |\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/x;
  for my $folder (@folders) {
    open my $handle, "<&=", $folder or exit 1;
    chdir $handle or exit 1;
    opendir my $entries, "." or exit 1;
    for my $name (grep { !/^\./ && !/\A(?:$character)*\z/ } readdir $entries) {
      my @look = look($folder, $name, $NOFOLLOW);
      next if !@look || !is_file($look[4]);
      (my $as = $name) =~ s/\G(?:($character)|(.))/defined $1 ? $1 : sprintf "%%%02X", ord $2/ges;
      my $done = syscall($RENAMEAT2, $folder, $name, $folder, $as, $NOREPLACE) == 0;
      if (!$done && ($! == $EINVAL || $! == $ENOSYS)) {
        $done = syscall($LINKAT, $folder, $name, $folder, $as, 0) == 0 && syscall($UNLINKAT, $folder, $name, 0) == 0;
      }
      push @answers, $done ? "done" : $! == $ENOENT ? "gone" : $! == $EEXIST ? "taken" : "error " . ($! + 0);
    }
  }
} elsif ($command eq "make") {
  # Makes what a Maildir lacks, like the folder that it has.
  refuse("request") if !@folders;
  my (undef, undef, $owner, $group, $mode) = look($folders[0], "", $ITSELF);
  for (qw(cur new tmp)) {
    my $name = $_;
    if (syscall($MKDIRAT, $mailbox, $name, 0700) != 0) {
      next if $! == $EEXIST;
      push @answers, "error " . ($! + 0);
      last;
    }
    # By what is open: another folder that took the name in between is nobody's but the one's who can write here, and is left alone.
    my $made = syscall($OPENAT, $mailbox, $name, $FOLDER | $NO_LINK, 0);
    my @look = $made < 0 ? () : look($made, "", $ITSELF);
    next if !@look || $look[2] != $>;
    if ((($look[2] != $owner || $look[3] != $group) && syscall($FCHOWN, $made, $owner, $group) != 0)
        || syscall($FCHMOD, $made, $mode & 07777) != 0) {
      push @answers, "error " . ($! + 0);
      syscall($UNLINKAT, $mailbox, $name, $REMOVEDIR);
      last;
    }
  }
} else {
  refuse("request");
}
print "held\n", map { "$_\n" } @answers;
# What was unlinked is to stay so after a power cut.
for my $at (sort keys %touched) {
  print "synced $at ", syscall($FSYNC, $folders[$at]) == 0 ? 0 : $! + 0, "\n";
}
`;
