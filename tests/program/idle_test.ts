// Clients that say nothing: the timers end their sessions, and nothing is deleted for them.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageFiles, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

Deno.test("the inactivity timer ends the session and deletes nothing", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ann"), "maildir", [messageOfSize(120), messageOfSize(200)]);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ann: "secret" },
    flags: ["--timeout", "1"],
  });
  using client = await program.connect();
  await client.login("ann", "secret");
  await client.ok("DELE 1");
  await client.ended();
  assertEquals((await messageFiles(join(folder.path, "ann"))).length, 2);

  // The lock went with the session.
  using next = await program.connect();
  assert((await next.login("ann", "secret")).startsWith("+OK 2 messages"));
});

Deno.test("the login timer ends a session that does not log in, whatever it says meanwhile", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    flags: ["--login-timeout", "1"],
  });
  using silent = await program.connect();
  assert((await silent.line()).startsWith("+OK "));
  using busy = await program.connect();
  assert((await busy.line()).startsWith("+OK "));
  let answers = 0;
  const asking = (async () => {
    while ((await busy.command("NOOP")).startsWith("+OK")) answers++;
    await busy.ended();
  })();
  await silent.ended();
  await asking;
  assert(answers > 0);
});
