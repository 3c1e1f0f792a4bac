// `postern import uidl` as an administrator runs it, and the ids that sessions then show.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";
import { type RunningProgram, spawnProgram, startProgram } from "../support/program.ts";

const DOVECOT_3 = [
  "3 V1700000000 N6 G0123456789abcdef0123456789abcdef",
  "1 W830 :1699999999.M1P9.mx,S=812",
  "3 PUID17-1650000000 O1 :1699999998.M2P9.mx:2,S",
  "4 P :1699999997.M3P9.mx",
  "5 Gaaaa X9 :a b",
  "7",
].join("\n");
const DOVECOT_IDS = [
  "UID17-1650000000",
  "000000016553f100",
  "1699999997.M3P9.mx",
  "000000056553f100",
];
const DOVECOT_NAMES = [
  "1699999999.M1P9.mx,S=812",
  "1699999998.M2P9.mx:2,S",
  "1699999997.M3P9.mx",
  "a b",
];

/** A mail folder and a state file of a test's own. */
class Host implements AsyncDisposable {
  readonly mail: string;
  readonly state: string;
  readonly #folder: AsyncDisposable;

  private constructor(path: string, folder: AsyncDisposable) {
    this.mail = join(path, "mail");
    this.state = join(path, "state.db");
    this.#folder = folder;
  }

  static async make(): Promise<Host> {
    const folder = await temporaryFolder();
    const host = new Host(folder.path, folder);
    await Deno.mkdir(host.mail, { mode: 0o700 });
    return host;
  }

  async maildir(user: string, names: readonly string[]): Promise<void> {
    for (const name of ["cur", "new", "tmp"]) {
      await Deno.mkdir(join(this.mail, user, name), { recursive: true });
    }
    for (const name of names) {
      const place = name.includes(":2,") ? "cur" : "new";
      await Deno.writeTextFile(join(this.mail, user, place, name), `Subject: ${name}\n\nx\n`);
    }
  }

  file(...parts: string[]): string {
    return join(this.mail, ...parts);
  }

  uidl(...args: string[]): ReturnType<typeof postern> {
    return postern(["import", "uidl", "-d", this.mail, "--state", this.state, ...args]);
  }

  start(): Promise<RunningProgram> {
    return startProgram({
      maildir: this.mail,
      state: this.state,
      users: { ada: "pw", bob: "pw" },
      flags: ["--auth-delay", "0"],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** A session's ids, in order. */
async function idsOf(program: RunningProgram, user: string): Promise<string[]> {
  const client = await program.connect();
  await client.login(user, "pw");
  await client.ok("UIDL");
  const lines = await client.list();
  await client.leave();
  return lines.map((line) => line.split(" ")[1]!);
}

Deno.test("ids of Dovecot: told first, written with --write, shown in its order, and taken back", async () => {
  await using host = await Host.make();
  await host.maildir("ada", DOVECOT_NAMES);
  await Deno.writeTextFile(host.file("ada", "dovecot-uidlist"), DOVECOT_3);
  const told =
    "ada: 4 messages, 4 keep their id, 0 have none in the list, 0 listed and gone, 1 refused";

  const dry = await host.uidl("ada", "-v");
  assertEquals(dry.code, 1, dry.stderr);
  assertEquals(dry.stdout.split("\n").slice(0, 2), [told, "  refused: line 6: it has no name"]);
  assertEquals([...Deno.readDirSync(host.file("ada"))].length, 4, "nothing is written");

  const written = await host.uidl("ada", "--write");
  assertStringIncludes(written.stdout, told);
  assertStringIncludes(written.stdout, "1 written");
  assertEquals(
    Deno.readTextFileSync(host.file("ada", ".postern-uidl")).split("\n").slice(0, 2),
    ["postern-uidl 1", "1699999998.M2P9.mx\tUID17-1650000000\t1"],
  );
  assertEquals(
    Deno.readTextFileSync(host.file("ada", "dovecot-uidlist")),
    DOVECOT_3,
    "the other server's list is left as it is",
  );

  const undone = await host.uidl("ada", "--undo", "--json");
  assertEquals(undone.code, 0, undone.stderr);
  assertEquals([...Deno.readDirSync(host.file("ada"))].length, 4, "all is as it was");
  assertEquals((await host.uidl("ada", "--undo")).code, 1, "there is nothing left to undo");

  await host.uidl("ada", "--write");
  {
    await using program = await host.start();
    assertEquals(await idsOf(program, "ada"), DOVECOT_IDS);
  }
  const shown = await host.uidl("ada", "--undo");
  assertEquals(shown.code, 1);
  assertStringIncludes(shown.stdout, "--force");
  assertEquals((await host.uidl("ada", "--undo", "--force")).code, 0);
  assertEquals(
    [...Deno.readDirSync(host.file("ada"))].some(({ name }) => name === ".postern-uidl"),
    false,
  );
});

Deno.test("while a server runs, mailboxes in use are left and told, and the others are done", async () => {
  await using host = await Host.make();
  for (const user of ["ada", "bob"]) {
    await host.maildir(user, ["1.a", "2.b"]);
    await Deno.writeTextFile(
      host.file(user, "courierpop3dsizelist"),
      "/2 3 7\n2.b 3 2:7\n1.a 3 1:7\n",
    );
  }
  await using program = await host.start();
  const client = await program.connect();
  await client.login("ada", "pw");
  const first = await host.uidl("--all", "--write", "--json");
  assertEquals(first.code, 1, first.stderr);
  const lines = first.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals([lines[0].inUse, lines[1].written, lines[2].inUse], [true, true, 1]);
  await client.leave();
  const second = await host.uidl("ada", "--write");
  assertEquals(second.code, 0, second.stdout);
  for (const user of ["ada", "bob"]) assertEquals(await idsOf(program, user), ["UID2-7", "UID1-7"]);

  const other = await host.uidl("ada", "--write", "--state", `${host.state}-other`);
  assertEquals(other.code, 2, "given twice");
  const foreign = await postern(
    ["import", "uidl", "-d", host.mail, "--state", `${host.state}-other`, "--write", "ada"],
  );
  assertEquals(foreign.code, 1);
  assertStringIncludes(foreign.stderr, "--state");
});

Deno.test("a second import leaves ids as they are, unless they are to be replaced", async () => {
  await using host = await Host.make();
  await host.maildir("ada", ["1.a", "2.b", "3.c"]);
  const list = join(host.mail, "list");
  await Deno.writeTextFile(list, "1.a one\n2.b two\n");
  const first = await host.uidl("ada", "--write", "--from", "list", "--file", list);
  assertEquals(first.code, 1);
  assertStringIncludes(first.stdout, "3 messages, 2 keep their id, 1 have none in the list");
  await Deno.writeTextFile(list, "1.a other\n3.c three\n");
  const second = await host.uidl("ada", "--write", "--from", "list", "--file", list);
  assertEquals(second.code, 0, second.stdout + second.stderr);
  assertEquals(
    Deno.readTextFileSync(host.file("ada", ".postern-uidl")),
    "postern-uidl 1\n1.a\tone\t1\n2.b\ttwo\t2\n3.c\tthree\t3\n".replace("three\t3", "three\t2"),
  );
  const third = await host.uidl("ada", "--write", "--from", "list", "--file", list, "--replace");
  assertStringIncludes(third.stderr, "download");
  assertMatch(Deno.readTextFileSync(host.file("ada", ".postern-uidl")), /^1\.a\tother\t/m);
});

Deno.test("ids that cannot be, ids twice, and lists of other mailboxes are refused", async () => {
  await using host = await Host.make();
  await host.maildir("ada", ["1.a", "2.b", "3.c"]);
  const list = join(host.mail, "list");
  await Deno.writeTextFile(list, `1.a same\n2.b same\n3.c ${"x".repeat(71)}\n4.d gone\n`);
  const dry = await host.uidl("ada", "--from", "list", "--file", list, "-v");
  assertEquals(dry.code, 1);
  assertStringIncludes(
    dry.stdout,
    "ada: 3 messages, 1 keep their id, 2 have none in the list, 1 listed and gone, 2 refused",
  );
  assertStringIncludes(dry.stdout, "line 2: it has the id of line 1");
  assertStringIncludes(dry.stdout, "line 3: the id is longer than 70 octets");
  await Deno.writeTextFile(list, "8.x eight\n9.y nine\n");
  const foreign = await host.uidl("ada", "--from", "list", "--file", list, "--write");
  assertEquals(foreign.code, 1);
  assertStringIncludes(foreign.stdout, "another mailbox");
  assertEquals([...Deno.readDirSync(host.file("ada"))].length, 3);
});

Deno.test("verify uidl: 0 only for the same ids in the same order", async () => {
  await using host = await Host.make();
  await host.maildir("ada", DOVECOT_NAMES);
  await Deno.writeTextFile(host.file("ada", "dovecot-uidlist"), DOVECOT_3);
  const answer = join(host.mail, "answer");
  const verify = (): ReturnType<typeof postern> =>
    postern(["verify", "uidl", "ada", "--list", answer, "-d", host.mail]);
  const rows = DOVECOT_IDS.map((id, at) => `${at + 1} ${id}`);
  await Deno.writeTextFile(answer, ["+OK 4 messages", ...rows, ".", ""].join("\r\n"));
  const planned = await verify();
  assertEquals(planned.code, 0, planned.stdout);
  assertStringIncludes(planned.stdout, "once postern import uidl --write");
  await host.uidl("ada", "--write");
  assertEquals((await verify()).stdout, "ada: the same 4 ids in the same order\n");
  await Deno.writeTextFile(answer, rows.toReversed().join("\n"));
  assertEquals((await verify()).code, 1);
  await Deno.writeTextFile(answer, rows.slice(1).join("\n"));
  assertEquals((await verify()).code, 1);
});

Deno.test("wrong usage is one sentence and status 2", async () => {
  for (
    const args of [
      ["import"],
      ["import", "uild"],
      ["import", "uidl"],
      ["import", "uidl", "--all", "ada"],
      ["import", "uidl", "ada", "--from", "nothing"],
      ["import", "uidl", "ada", "--from", "cyrus"],
      ["import", "uidl", "ada", "--uidl-format", "%m"],
      ["import", "uidl", "ada", "bob", "--file", "one"],
      ["import", "uidl", "ada", "--source", "http://x"],
      ["import", "uidl", "ada", "--write", "--undo"],
      ["verify", "uidl", "ada"],
    ]
  ) {
    const { code, stdout, stderr } = await postern(args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^postern: [^\n]+\n$/);
  }
  const { stdout } = await postern(["import", "uidl", "-h"]);
  assert(stdout.split("\n").every((line) => line.length <= 80), stdout);
});

Deno.test("an import that is killed leaves each mailbox with its old or its new ids, and can be repeated", async () => {
  await using host = await Host.make();
  const users = Array.from({ length: 40 }, (_, at) => `user${at}`);
  for (const user of users) {
    await host.maildir(user, ["1.a", "2.b"]);
    await Deno.writeTextFile(host.file(user, "dovecot-uidlist"), "1 7 3\n1 1.a\n2 2.b\n");
  }
  const child = spawnProgram(
    ["import", "uidl", "-d", host.mail, "--state", host.state, "--all", "--write"],
  );
  const reader = child.stdout.getReader();
  // Killed as soon as it tells of the first.
  await reader.read();
  child.kill("SIGKILL");
  while (!(await reader.read()).done);
  await child.stderr.cancel();
  await child.status;
  const whole = "postern-uidl 1\n1.a\t0000000100000007\t1\n2.b\t0000000200000007\t2\n";
  for (const user of users) {
    const found = await Deno.readTextFile(host.file(user, ".postern-uidl")).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return whole;
      throw error;
    });
    assertEquals(found, whole);
  }
  const again = await host.uidl("--all", "--write");
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stdout, "40 mailboxes: 80 messages, 80 keep their id");
  for (const user of users) {
    assertEquals(await Deno.readTextFile(host.file(user, ".postern-uidl")), whole);
  }
});

Deno.test("a mailbox's owner cannot have another's file read as a list", async () => {
  await using host = await Host.make();
  await host.maildir("ada", ["1.a"]);
  await Deno.writeTextFile(host.file("secret"), "1 7 3\n1 1.a\n");
  await Deno.symlink(host.file("secret"), host.file("ada", "dovecot-uidlist"));
  const linked = await host.uidl("ada");
  assertEquals(linked.code, 1);
  assertStringIncludes(linked.stdout, "no regular file");
});
