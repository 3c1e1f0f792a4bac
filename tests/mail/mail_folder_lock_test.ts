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
