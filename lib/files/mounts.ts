/** Tells file systems of other machines, and of programs, from those of this machine's disks, by the kernel's table of mounts. */

/**
 * File systems whose calls wait for another machine, or for a program: their names as the kernel's table has them (proc(5), mountinfo). What
 * is of a kind (`fuse.sshfs`) has the name of the kind in front. `fuseblk` lies on a disk.
 */
const REMOTE: ReadonlySet<string> = new Set([
  "9p",
  "afs",
  "beegfs",
  "ceph",
  "cifs",
  "coda",
  "fuse",
  "gfs2",
  "glusterfs",
  "gpfs",
  "lustre",
  "ncpfs",
  "nfs",
  "nfs4",
  "ocfs2",
  "orangefs",
  "pvfs2",
  "smb3",
  "smbfs",
  "virtiofs",
]);

/**
 * Reads the table.
 *
 * @param mountinfo the text of /proc/self/mountinfo
 * @returns by device, as `stat` numbers it, whether it is remote
 */
export function readMounts(mountinfo: string): Map<number, boolean> {
  const mounts = new Map<number, boolean>();
  for (const line of mountinfo.split("\n")) {
    const [, , device = ""] = line.split(" ");
    const [major = NaN, minor = NaN] = device.split(":").map(Number);
    const kind = line.slice(line.indexOf(" - ") + 3).split(" ")[0]!;
    if (!Number.isNaN(minor)) mounts.set(deviceNumber(major, minor), isRemote(kind));
  }
  return mounts;
}

function isRemote(kind: string): boolean {
  return REMOTE.has(kind.split(".")[0]!);
}

/** A device's number as Linux packs it (makedev(3)): twelve bits of the first and eight of the second number lie lowest. */
function deviceNumber(major: number, minor: number): number {
  const [low, high] = [minor & 0xff, minor >>> 8];
  return (major >>> 12) * 2 ** 44 + high * 2 ** 20 + (major & 0xfff) * 2 ** 8 + low;
}
