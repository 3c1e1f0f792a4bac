// Names that would reach into another mailbox are refused before the program serves anybody.
import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { runProgram, serveArguments } from "../support/program.ts";

for (const name of ["new@bob", "cur@bob", "../bob", "bob/new", ".bob", "a@b@c", "bob..", "tmp"]) {
  Deno.test(`the program refuses to start with a user called ${name}`, async () => {
    await using folder = await temporaryFolder();
    const ended = await runProgram(
      serveArguments({ maildir: folder.path, users: { [name]: "secret" } }),
    );
    assertEquals(ended.code, 2, ended.stderr);
    assert(ended.stderr.includes("--user"), ended.stderr);
    assert(!ended.stderr.includes("secret"), "the password is told");
  });
}
