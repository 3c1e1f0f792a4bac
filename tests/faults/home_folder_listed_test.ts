/** A folder with a user's own files was taken for a plain folder of mail: thesis.odt was listed, and DELE and QUIT removed it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

Deno.test("a folder that holds other files than mail is neither listed nor emptied, and the log names the file", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const home = join(maildir, "ada");
  await makeMailbox(home, "folder", [messageOfSize(100), messageOfSize(200)]);
  await Deno.writeTextFile(join(home, "thesis.odt"), "years of work");
  await using program = await startProgram({ maildir, users: { ada: "secret" } });
  {
    using client = await program.connect();
    await client.line();
    await client.ok("USER ada");
    const answer = await client.command("PASS secret");
    assert(answer.startsWith("-ERR [SYS/PERM] "), answer);
  }
  await eventually("the log naming the file", () => program.stderr.includes("thesis.odt"));
  assertStringIncludes(program.stderr, "create an empty file .postern-plain beside it");
  const names = [...Deno.readDirSync(home)].map(({ name }) => name).sort();
  assertEquals(names, ["000001.eml", "000002.eml", "thesis.odt"]);
  await Deno.rename(join(home, "thesis.odt"), join(maildir, "thesis.odt"));
  using client = await program.connect();
  await client.login("ada", "secret");
  assertEquals(await client.command("STAT"), "+OK 2 300");
});
