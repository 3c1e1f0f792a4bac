// Names that would reach into another mailbox: badly written ones are refused before the program serves anybody, and those that
// are folders of a mailbox log nobody in.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeMailbox, temporaryFolder } from "../support/mailboxes.ts";
import { runProgram, serveArguments, startProgram } from "../support/program.ts";

for (const name of ["../bob", "bob/new", ".bob", "a@b@c", "bob.."]) {
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

Deno.test("a user new@bob never reaches bob's mail, nor do tmp and cur@bob", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(`${folder.path}/bob`, "maildir", [new TextEncoder().encode("A: b\n\nx\n")]);
  const users = { bob: "right", "new@bob": "right", "cur@bob": "right", tmp: "right" };
  await using program = await startProgram({
    maildir: folder.path,
    users,
    flags: ["--auth-delay", "0"],
  });
  for (const name of Object.keys(users)) {
    using client = await program.connect();
    await client.line();
    await client.command(`USER ${name}`);
    const answer = await client.command("PASS right");
    assertStringIncludes(answer, name === "bob" ? "+OK 1 messages" : "-ERR [AUTH]");
  }
  assertEquals(
    [...Deno.readDirSync(folder.path)].map(({ name }) => name).filter((name) =>
      !name.startsWith(".")
    ),
    [
      "bob",
    ],
  );
});
