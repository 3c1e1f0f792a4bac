/** With --default-domain, the guard took a name without its domain for another user: a shut name shut out its own user, too. */

import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { startProgram } from "../support/program.ts";

Deno.test("a user whose name is guessed with and without its domain is one user to the guard", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    users: { "ann@example.org": "right" },
    flags: [
      ...["--default-domain", "example.org", "--auth-delay", "0"],
      ...["--proxy-protocol", "127.0.0.1/32"],
    ],
  });
  const logIn = async (address: string, name: string, password: string): Promise<string> => {
    using client = await Pop3Client.connect({ port: program.port() });
    await client.send(`PROXY TCP4 ${address} 127.0.0.1 4000 110\r\n`);
    await client.line();
    await client.ok(`USER ${name}`);
    const answer = await client.command(`PASS ${password}`);
    await client.send("QUIT\r\n");
    await client.line();
    return answer;
  };
  assert((await logIn("198.51.100.5", "ann", "right")).startsWith("+OK"));
  for (let turn = 0; turn < 100; turn++) {
    const name = turn % 2 === 0 ? "ann" : "ann@example.org";
    const answer = await logIn(`203.0.113.${turn + 1}`, name, `guess ${turn}`);
    assertEquals(answer, "-ERR [AUTH] Authentication failed");
  }
  for (const name of ["ann", "ann@example.org"]) {
    // From elsewhere the name is shut, however it is written; from home it is open.
    assertEquals(
      await logIn("203.0.113.250", name, "right"),
      "-ERR [AUTH] Authentication failed",
    );
    assert((await logIn("198.51.100.5", name, "right")).startsWith("+OK"), name);
  }
});
