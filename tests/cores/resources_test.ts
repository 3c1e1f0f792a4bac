// What sessions cost the program: descriptors that run out and come back, and nothing that stays when they are over.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { RunningProgram, serveArguments, spawnProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { manyUsers } from "./support.ts";

/** More than the program needs for itself. */
const DESCRIPTORS = 160;

Deno.test("running out of descriptors pauses accepting, is said once, and passes", async () => {
  await using folder = await temporaryFolder();
  const users = await manyUsers(folder.path, 2);
  await using program = new RunningProgram(
    spawnProgram(serveArguments({ maildir: folder.path, users, flags: ["--workers", "2"] })),
  );
  await program.ready();
  limitDescriptors(program.pid, DESCRIPTORS);
  const clients = await Promise.all(Array.from({ length: 300 }, () => program.connect()));
  let greeted = 0;
  const greetings = clients.map((client) => client.line().then(() => greeted++));
  void Promise.allSettled(greetings);
  const complaints = (): number =>
    program.log.filter(({ message }) => message.startsWith("Cannot accept connections"))
      .length;
  await eventually("the complaint", () => complaints() >= 1);
  await eventually("sessions beside it", () => greeted > 20);
  // As sessions end, those who wait come in, in whatever order.
  await Promise.all(clients.map(async (client, index) => {
    await greetings[index];
    await client.ok("QUIT");
    await client.ended();
    client[Symbol.dispose]();
  }));
  assertEquals(greeted, 300);
  assert(complaints() < 20, `${complaints()} complaints`);
  using client = await program.connect();
  assertEquals(await client.login("u0", "x"), "+OK 1 messages (200 octets)");
  assertEquals(await client.retrieve(1), messageOfSize(200));
});

Deno.test("sessions leave no descriptor behind, however they end", async () => {
  await using folder = await temporaryFolder();
  const users = await manyUsers(folder.path, 20, 2);
  await using program = await startProgram({
    maildir: folder.path,
    users,
    flags: ["--workers", "2", "--transformer", "cat"],
  });
  const names = Object.keys(users);
  const round = async (): Promise<void> => {
    await Promise.all(names.map(async (name, index) => {
      using client = await program.connect();
      await client.login(name, "x");
      await client.send("RETR 1\r\nRETR 2\r\nNOOP\r\n");
      // Some say good-bye, some go in the middle of an answer, some half close.
      if (index % 3 === 0) await client.leave();
      else if (index % 3 === 1) await client.line();
      else {
        for (let message = 0; message < 2; message++) {
          await client.line();
          await client.multiline();
        }
        await client.line();
        await client.ok("QUIT");
        await client.ended();
      }
    }));
    await eventually("all locks being free", async () => {
      using client = await program.connect();
      await client.line();
      return (await client.command("CAPA")).startsWith("+OK");
    });
  };
  await round();
  const before = await settledDescriptors(program.pid);
  for (let count = 0; count < 5; count++) await round();
  // A socket closes a moment after its client has seen the end.
  await eventually(
    `as many descriptors after 100 sessions more as before, ${before}`,
    () => descriptorsOf(program.pid) <= before + 2,
    () => descriptorsOf(program.pid),
  );
});

Deno.test("a client that never reads costs a bounded buffer, whatever it asks for", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "ann"), "maildir", [messageOfSize(20_000_000)]);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ann: "x" },
    flags: ["--workers", "1"],
  });
  using client = await program.connect();
  await client.login("ann", "x");
  const before = memoryOf(program.pid);
  // Nothing of it is read; what the server does not take waits with the client's system.
  const flood = client.send("RETR 1\r\n".repeat(100_000)).catch(() => {});
  using other = await program.connect();
  await other.line();
  for (let count = 0; count < 200; count++) await other.ok("NOOP");
  const grown = (memoryOf(program.pid) - before) / 1024;
  assert(grown < 30, `${grown} MiB more`);
  client[Symbol.dispose]();
  await flood;
  await other.ok("QUIT");
});

function limitDescriptors(pid: number, limit: number): void {
  const { success, stderr } = new Deno.Command("prlimit", {
    args: ["--pid", `${pid}`, `--nofile=${limit}:${limit}`],
  }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
}

function descriptorsOf(pid: number): number {
  const { stdout } = new Deno.Command("ls", { args: [`/proc/${pid}/fd`] }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").length;
}

/** Waits until it is the same twice: sockets close a moment after their clients have seen the end. */
async function settledDescriptors(pid: number): Promise<number> {
  let last = -1;
  await eventually("descriptors settling", async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = descriptorsOf(pid);
    const same = now === last;
    last = now;
    return same;
  });
  return last;
}

/** Resident memory in KiB. */
function memoryOf(pid: number): number {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).outputSync();
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(new TextDecoder().decode(stdout))![1]);
}
