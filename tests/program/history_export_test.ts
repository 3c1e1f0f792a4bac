/** Figures by hours, as an administrator and a browser export them, over a restart. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

async function history(program: RunningProgram, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await postern(
    ["admin", "-p", String(program.port("msmp")), "history", "pop3.logins", ...words],
    { env: { POSTERN_ADMIN_LOGIN: "root:secret" } },
  );
  return stdout + stderr;
}

Deno.test("history by hours goes on after a restart, as text, CSV and JSON", async () => {
  await using folder = await temporaryFolder();
  const options = {
    maildir: folder.path,
    state: join(folder.path, "postern.db"),
    users: { ada: "ada" },
    flags: ["--admin", "root:secret", "--admin-listen", "127.0.0.1", "--http", "127.0.0.1:0"],
  };
  for (const logins of [1, 2]) {
    await using program = await startProgram(options);
    {
      using client = await program.connect();
      await client.login("ada", "ada");
      await client.ok("QUIT");
    }
    // An hour that begins while the test runs leaves two rows.
    const rows = JSON.parse(await history(program, "2", "--hours", "--json"));
    assertEquals(
      rows.reduce((sum: number, { value }: { value: number }) => sum + value, 0),
      logins,
    );
    assertMatch(await history(program, "--hours", "--csv"), /^time,value\n[\d-]+ \d\d:00,\d\n/);
    assertMatch(await history(program, "2", "--hours"), /^\d{4}-\d\d-\d\d \d\d:00 +\d\n/);
    const answer = await fetch(`http://127.0.0.1:${program.port("http")}/history.csv?hours=2`);
    assertMatch(await answer.text(), /^time,pop3[^\n]*\n\d{4}-\d\d-\d\dT\d\d:00:00\.000Z,/);
  }
});
