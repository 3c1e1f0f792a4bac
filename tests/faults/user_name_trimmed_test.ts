/** USER took a CR, a tab or another control at the end of a name for nothing, and let its user in. */

import { assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

Deno.test("a control at the end of a user's name makes it another name, a blank does not", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    users: { alice: "wonderland" },
    flags: ["--auth-delay", "0"],
  });
  for (const [name, expected] of [["alice\r", "-ERR"], ["alice\t", "-ERR"], ["alice  ", "+OK"]]) {
    using client = await program.connect();
    await client.line();
    await client.ok(`USER ${name}`);
    assertEquals((await client.command("PASS wonderland")).split(" ")[0], expected, name);
  }
});
