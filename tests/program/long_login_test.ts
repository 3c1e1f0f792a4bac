// Logins that make the server read for long: they end with whoever asked for them, and what can never be read is refused.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const GIB = 1024 ** 3;

/** Ada's mailbox holds a file of so many octets that takes up no room. */
async function withSparse(
  octets: number,
  body: (program: RunningProgram, path: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "ada");
  await makeMailbox(mailbox, "maildir", [messageOfSize(300)]);
  const path = join(mailbox, "new", "1900000000.M1P1.host");
  using file = await Deno.create(path);
  await file.truncate(octets);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "ada" },
    flags: ["--workers", "1", "--admin", "root:secret"],
  });
  await body(program, path);
}

async function manage(program: RunningProgram): Promise<Pop3Client> {
  const client = await Pop3Client.connect({ port: program.port("msmp") });
  await client.login("root", "secret");
  await client.ok("MSMP 2");
  return client;
}

/** Begins a login that takes half a minute, and waits until the big message is being read. */
async function beginLogin(program: RunningProgram, path: string): Promise<Pop3Client> {
  const ada = await program.connect();
  await ada.line();
  await ada.ok("USER ada");
  await ada.send("PASS ada\r\n");
  await eventually("the big message being open", async () => {
    const { stdout } = await new Deno.Command("ls", {
      args: ["-l", `/proc/${program.pid}/fd`],
      stdout: "piped",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).includes(path);
  });
  return ada;
}

/** Waits until no session is left, which a login that goes on would keep for half a minute. */
async function allGone(admin: Pop3Client): Promise<void> {
  await eventually("the end of the session", async () => {
    await admin.ok("SESSIONS");
    return (await admin.list()).length === 0;
  });
}

Deno.test("a login that measures a big message ends when its client leaves", async () => {
  await withSparse(30 * GIB, async (program, path) => {
    using admin = await manage(program);
    const ada = await beginLogin(program, path);
    ada[Symbol.dispose]();
    await allGone(admin);
    assertEquals(program.log.filter(({ level }) => level === "error"), []);
  });
});

Deno.test("a login that measures a big message ends by KICK, and the maildrop is free", async () => {
  await withSparse(30 * GIB, async (program, path) => {
    using admin = await manage(program);
    using _ada = await beginLogin(program, path);
    await admin.ok("SESSIONS");
    const id = (await admin.list())[0]!.split(" ")[0]!;
    assertEquals(await admin.command(`KICK ${id}`), "+OK Session ended");
    await allGone(admin);
    await Deno.remove(path);
    using again = await program.connect();
    assertStringIncludes(await again.login("ada", "ada"), "+OK 1 messages");
  });
});

Deno.test("a message too big to be measured refuses the login at once, for now, and the log says which", async () => {
  await withSparse(8 * 1024 * GIB, async (program) => {
    using ada = await program.connect();
    await ada.line();
    await ada.ok("USER ada");
    const answer = await ada.command("PASS ada");
    assert(answer.startsWith("-ERR [SYS/TEMP] "), answer);
    const told = (): string[] =>
      program.log.filter(({ level }) => level === "error").map(({ message }) => message);
    await eventually("an error in the log", () => told().length > 0);
    assertStringIncludes(told()[0]!, "too big to be measured");
    assert((await ada.command("QUIT")).startsWith("+OK"));
  });
});
