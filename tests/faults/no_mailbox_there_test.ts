/** Where a domain's folder was a link an empty mailbox was made beside it, and a home folder's own files were served, and deleted, as mail. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

Deno.test("a linked domain folder and a home folder are no mailboxes: nothing is served, made or deleted", async () => {
  await using folder = await temporaryFolder();
  const at = (...parts: string[]): string => join(folder.path, "mail", ...parts);
  await makeMailbox(at("real.example", "ann"), "maildir", [messageOfSize(100)]);
  await Deno.symlink(at("real.example"), at("linked.example"));
  await makeMailbox(at("home", "Maildir"), "maildir", [messageOfSize(100)]);
  await Deno.writeTextFile(at("home", "thesis.odt"), "years of work");
  await using program = await startProgram({
    maildir: at(),
    users: { "ann@linked.example": "secret", home: "secret" },
  });
  for (const user of ["ann@linked.example", "home"]) {
    using client = await program.connect();
    await client.line();
    await client.ok(`USER ${user}`);
    const answer = await client.command("PASS secret");
    assert(answer.startsWith("-ERR [SYS/PERM]"), answer);
  }
  const names = [...Deno.readDirSync(at())].map(({ name }) => name).filter((name) =>
    name[0] !== "."
  );
  assertEquals(names.sort(), ["home", "linked.example", "real.example"]);
  assertEquals(await Deno.readTextFile(at("home", "thesis.odt")), "years of work");
});
