// A mail folder belongs to one process, and within it to all who took it.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { MailFolderLocks } from "../../lib/mail/mail_folder_lock.ts";
import { StartError } from "../../lib/net/start_error.ts";
import { temporaryFolder } from "../support/mailboxes.ts";

Deno.test("a mail folder is free again when all who took it have given it back", async () => {
  await using folder = await temporaryFolder();
  const locks = new MailFolderLocks();
  const [first, second] = [await locks.take(folder.path), await locks.take(folder.path)];
  using other = await Deno.open(join(folder.path, ".postern.lock"), { write: true });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals(await other.tryLock(true), false);
  second[Symbol.dispose]();
  assert(await other.tryLock(true));
  // Another process has it now.
  const error = await assertRejects(() => locks.take(folder.path), StartError);
  assert(error.message.includes(folder.path));
  await other.unlock();
  using _again = await locks.take(folder.path);
  assertEquals(await other.tryLock(true), false);
});

/** Whose files ours are tells who we are, without a permission to ask. */
function isRoot(): boolean {
  const path = Deno.makeTempDirSync();
  const { uid } = Deno.lstatSync(path);
  Deno.removeSync(path);
  return uid === 0;
}

/** A lock file of a mail folder, and whether others may read it. */
async function modeAfter(path: string, folder: string): Promise<number> {
  using _taken = await new MailFolderLocks().take(folder);
  return Deno.lstatSync(path).mode! & 0o7777;
}

Deno.test("nobody else may open the lock file, so that no reader of the mail folder can hold its lock", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, ".postern.lock");
  assertEquals(await modeAfter(path, folder.path), 0o600);
  // As older versions made it.
  Deno.chmodSync(path, 0o644);
  assertEquals(await modeAfter(path, folder.path), 0o600);
});

Deno.test("a link or a FIFO in the lock file's place neither leads elsewhere nor keeps the server from starting", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, ".postern.lock");
  const elsewhere = join(folder.path, "elsewhere");
  for (const put of [["ln", "-s", elsewhere, path], ["mkfifo", path]]) {
    await new Deno.Command(put[0]!, { args: put.slice(1) }).output();
    using _taken = await new MailFolderLocks().take(folder.path);
    assertEquals(Deno.lstatSync(path).isFile, false);
    await assertRejects(() => Deno.lstat(elsewhere), Deno.errors.NotFound);
    Deno.removeSync(path);
  }
});

Deno.test({
  name: "a lock file that another account put there is replaced, also while it is locked",
  ignore: !isRoot(),
  fn: async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, ".postern.lock");
    using planted = await Deno.create(path);
    Deno.chownSync(path, 65534, 65534);
    assert(await planted.tryLock(true));
    using _taken = await new MailFolderLocks().take(folder.path);
    assertEquals(Deno.lstatSync(path).uid, 0);
  },
});
