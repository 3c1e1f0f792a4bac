/** A client that had sent many commands and read their answers slowly kept its place without ever logging in. */

import { temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

Deno.test("a client that reads slowly and never logs in is closed by login_timeout all the same", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    flags: ["--login-timeout", "1", "--log-level", "debug"],
  });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: program.port() });
  // 40 MB of answers wait for this client, which takes them at 20 kB a second.
  const commands = new TextEncoder().encode("CAPA\r\n".repeat(200_000));
  let open = true;
  const give = async (): Promise<void> => {
    for (let at = 0; open && at < commands.length;) {
      at += await conn.write(commands.subarray(at)).catch(() => commands.length);
    }
  };
  const take = async (): Promise<void> => {
    const buffer = new Uint8Array(2000);
    while (open && await conn.read(buffer).catch(() => null) !== null) {
      // Real time is the attack: all of it would take half an hour, and longer on a busy machine.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const work = [give(), take()];
  try {
    await eventually(
      "the session being ended",
      () => /"reason":"(?:login-timeout|not-reading)"/.test(program.stderr),
      () => program.stderr,
    );
  } finally {
    open = false;
    conn.close();
    await Promise.all(work);
  }
});
