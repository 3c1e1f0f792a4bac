import { assertEquals } from "@std/assert";
import { readMounts } from "../../lib/files/mounts.ts";

const TABLE = `22 1 254:1 / / rw,relatime - ext4 /dev/vda rw
41 22 0:36 / /srv/mail rw,relatime shared:9 - nfs4 files:/mail rw,vers=4.2
42 22 0:37 / /srv/with\\040blank rw - fuse.sshfs me@there: rw
43 22 8:4097 / /mnt rw - fuseblk /dev/sdb1 rw
44 22 0:38 / /proc rw - proc proc rw
`;

Deno.test("the table of mounts tells remote file systems from local ones", () => {
  const remote = (major: number, minor: number): boolean | undefined =>
    readMounts(TABLE).get(
      (minor & 0xff) + (major << 8) + (minor >>> 8) * 2 ** 20,
    );
  assertEquals(remote(254, 1), false);
  assertEquals(remote(0, 36), true);
  assertEquals(remote(0, 37), true);
  assertEquals(remote(8, 4097), false);
  assertEquals(remote(0, 38), false);
  assertEquals(remote(0, 99), undefined);
  assertEquals(readMounts("").size, 0);
});
