/**
 * Users who may write in their own mailbox exchange what its names stand for, as fast as they can, while the server reads, marks and removes
 * mail there: neither others' mail nor the server's own files are served, removed, moved or given away. The attackers are real processes of another
 * user, which only root can start: elsewhere these tests are reported as ignored.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { textOf } from "../support/awkward_messages.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { type ProgramOptions, type RunningProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { heavy } from "./stage.ts";

/** User and group ids that nobody has. */
const ADA = 64_001;
const BOB = 64_002;
const MESSAGES = 20;
/** Attacks of each kind, and sessions in each. */
const ROUNDS = heavy ? 100 : 3;
const SESSIONS = 3;

/** Whose ada's mailbox is. */
const OWNERSHIPS = {
  "that belongs to its user": { owner: ADA, group: ADA, mode: 0o700, file: 0o600, bob: BOB },
  // Both mailboxes belong to the server's account, as its keys do: an owner tells nothing then.
  "that its user's group can write": { owner: 0, group: ADA, mode: 0o2770, file: 0o660, bob: 0 },
} as const;
type Ownership = typeof OWNERSHIPS[keyof typeof OWNERSHIPS];

/** What is attacked: mailboxes, and a folder beside the mail folder that only the server may open. */
interface Scene extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly ada: string;
  readonly bob: string;
  readonly keys: string;
  /** Puts ada's mail back where it belongs. */
  restore(): Promise<void>;
  /** Requires that what is not ada's is as it was. */
  unharmed(): Promise<void>;
}

async function giveAll(path: string, owner: number, group: number): Promise<void> {
  await Deno.chown(path, owner, group);
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) await giveAll(join(path, name), owner, group);
    else await Deno.chown(join(path, name), owner, group);
  }
}

async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile) found[name] = await Deno.readTextFile(join(folder, name));
  }
  return found;
}

const mailOf = (whose: string): Uint8Array<ArrayBuffer>[] =>
  Array.from({ length: MESSAGES }, (_, at) => messageOfSize(300 + at, `${whose} ${at}`));

async function setScene(
  { owner, group, mode, file, bob: bobsOwner }: Ownership,
  { env = {}, flags = [] }: Pick<ProgramOptions, "env" | "flags"> = {},
): Promise<Scene> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  await Deno.chmod(folder.path, 0o755);
  const maildir = join(folder.path, "mail");
  const [ada, bob, keys] = [join(maildir, "ada"), join(maildir, "bob"), join(folder.path, "keys")];
  await Deno.mkdir(maildir, { mode: 0o755 });
  await Deno.chmod(maildir, 0o755);
  await makeMailbox(bob, "maildir", mailOf("bob's"));
  await giveAll(bob, bobsOwner, bobsOwner);
  for (const path of [bob, join(bob, "new"), join(bob, "cur")]) await Deno.chmod(path, 0o700);
  // The keys have the names of messages: who attacks knows what lies where.
  await makeMailbox(join(folder.path, "made"), "maildir", mailOf("private key"));
  await Deno.rename(join(folder.path, "made", "new"), keys);
  await Deno.chmod(keys, 0o700);
  const restore = async (): Promise<void> => {
    await makeMailbox(ada, "maildir", mailOf("ada's"));
    await giveAll(ada, owner, group);
    for (const path of ["", "new", "cur", "tmp"]) await Deno.chmod(join(ada, path), mode);
    for (const { name } of Deno.readDirSync(join(ada, "new"))) {
      await Deno.chmod(join(ada, "new", name), file);
    }
  };
  await restore();
  const places = [join(bob, "new"), join(bob, "cur"), keys];
  const before = await Promise.all(places.map(contents));
  const program = resources.use(
    await startProgram({
      maildir,
      users: { ada: "secret", bob: "secret" },
      flags: ["--workers", "2", "--auth-delay", "0", ...flags],
      env,
    }),
  );
  const kept = resources.move();
  return {
    program,
    ada,
    bob,
    keys,
    restore,
    async unharmed(): Promise<void> {
      assertEquals(await Promise.all(places.map(contents)), before);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Runs a program in Perl as ada until it is disposed, or ends; told when it has begun. */
async function asAda(cwd: string, script: string, ...args: string[]): Promise<AsyncDisposable> {
  const child = new Deno.Command("perl", {
    args: ["-e", `$| = 1; print "begun\n"; ${script}`, ...args],
    cwd,
    uid: ADA,
    gid: ADA,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}

/** The number of renameat2(2), which can exchange two names at once. */
const RENAMEAT2 = Deno.build.arch === "aarch64" ? 276 : 316;
/** Exchanges two names as fast as it can. */
const EXCHANGE =
  `my ($a, $b) = @ARGV; syscall(${RENAMEAT2}, -100, $a, -100, $b, 2) while getppid() > 1`;

/** Logs in, or tells that the mailbox looked so strange just then that it was refused. */
async function login(client: Pop3Client): Promise<boolean> {
  await client.line();
  await client.ok("USER ada");
  const answer = await client.command("PASS secret");
  if (answer.startsWith("+OK")) return true;
  assertMatch(answer, /^-ERR \[(SYS\/PERM|SYS\/TEMP|IN-USE)\]/);
  return false;
}

/** A session that reads and deletes all that it is shown; returns how many messages it was sent. */
async function readAndDelete(program: RunningProgram): Promise<number> {
  using client = await program.connect();
  if (!await login(client)) return 0;
  const shown = Number((await client.command("STAT")).split(" ")[1]);
  let own = 0;
  for (let number = 1; number <= shown; number++) {
    if ((await client.command(`RETR ${number}`)).startsWith("-ERR")) continue;
    const text = textOf(await client.multiline());
    assertMatch(text, /^Subject: ada's \d+$/m, "somebody else's file was served");
    own++;
  }
  for (let number = 1; number <= shown; number++) await client.ok(`DELE ${number}`);
  assertMatch(await client.command("QUIT"), /^(\+OK|-ERR \[SYS\/TEMP\]) /);
  await client.ended();
  return own;
}

function rootTest(name: string, body: (t: Deno.TestContext) => Promise<void>): void {
  const ignore = Deno.uid() !== 0;
  Deno.test({ name: ignore ? `${name} (only root can try it)` : name, ignore, fn: body });
}

async function exchangedFolders(scene: Scene): Promise<void> {
  for (const target of [join(scene.bob, "new"), scene.keys]) {
    for (let round = 0; round < ROUNDS; round++) {
      await scene.restore();
      await Deno.symlink(target, join(scene.ada, "link"));
      await using _attack = await asAda(scene.ada, EXCHANGE, "new", "link");
      for (let session = 0; session < SESSIONS; session++) await readAndDelete(scene.program);
      await scene.unharmed();
    }
  }
  // Ada cannot expect to see her mail, but all that she has seen is hers. On a quiet mailbox she sees it all.
  await scene.restore();
  assertEquals(await readAndDelete(scene.program), MESSAGES);
  assertEquals(await contents(join(scene.ada, "new")), {});
  await scene.unharmed();
}

async function exchangedMessages(scene: Scene): Promise<void> {
  const name = "1700000001.M100001P1.host";
  for (const target of [join(scene.bob, "new", name), join(scene.keys, name)]) {
    for (let round = 0; round < ROUNDS; round++) {
      await scene.restore();
      await Deno.symlink(target, join(scene.ada, "link"));
      await using _attack = await asAda(scene.ada, EXCHANGE, `new/${name}`, "link");
      for (let session = 0; session < SESSIONS; session++) await readAndDelete(scene.program);
      await scene.unharmed();
    }
  }
}

async function linkInAFoldersPlace(scene: Scene): Promise<void> {
  for (const target of [join(scene.bob, "new"), scene.keys]) {
    for (const folder of ["cur", "new"]) {
      await scene.restore();
      using client = await scene.program.connect();
      await client.login("ada", "secret");
      await client.retrieve(1);
      await Deno.rename(join(scene.ada, folder), join(scene.ada, "aside"));
      await Deno.symlink(target, join(scene.ada, folder));
      const answer = await client.command("RETR 2");
      if (folder === "new") assertMatch(answer, /^-ERR /);
      else assertMatch(textOf(await client.multiline()), /ada's 1/);
      await client.ok("DELE 3");
      assertMatch(await client.command("QUIT"), /^(\+OK|-ERR \[SYS\/TEMP\]) /);
      await client.ended();
      await scene.unharmed();
      // What was read is marked in its own folder, or stays where it is.
      const kept = await contents(join(scene.ada, folder === "new" ? "aside" : "new"));
      assert(Object.keys(kept).length >= MESSAGES - 2);
    }
  }
}

async function fifosInMessagesPlaces(scene: Scene): Promise<void> {
  await scene.restore();
  using client = await scene.program.connect();
  await client.login("ada", "secret");
  const paths = Object.keys(await contents(join(scene.ada, "new")))
    .map((name) => join(scene.ada, "new", name));
  for (const path of paths) await Deno.remove(path);
  assert((await new Deno.Command("mkfifo", { args: paths }).output()).success);
  assertMatch(await client.command("RETR 1"), /^-ERR /);
  assertMatch(await client.command("TOP 2 0"), /^-ERR /);
  await client.ok("DELE 3");
  assertMatch(await client.command("QUIT"), /^-ERR \[SYS\/TEMP\] /);
  await client.ended();
  using next = await scene.program.connect();
  await next.login("ada", "secret");
  assertEquals(await next.command("STAT"), "+OK 0 0");
  await next.ok("QUIT");
  await next.ended();
}

/** Mail that other accounts delivered, as an administrator who copies mail back does. */
async function mailOfOthers(scene: Scene): Promise<void> {
  await scene.restore();
  for (const [at, owner] of [0, BOB, 64_003].entries()) {
    const path = join(scene.ada, "new", `160000000${at}.M1P1.host`);
    await Deno.writeFile(path, messageOfSize(200 + at, "delivered"), { mode: 0o600 });
    await Deno.chown(path, owner, owner);
  }
  using client = await scene.program.connect();
  await client.login("ada", "secret");
  assertMatch(await client.command("STAT"), new RegExp(`^\\+OK ${MESSAGES + 3} `));
  for (const number of [1, 2, 3]) {
    assertMatch(textOf(await client.retrieve(number)), /delivered/);
    await client.ok(`DELE ${number}`);
  }
  await client.retrieve(4);
  assertEquals(await client.command("QUIT"), `+OK ${MESSAGES} messages left`);
  await client.ended();
  assertEquals(Object.keys(await contents(join(scene.ada, "cur"))).length, 1);
  assertEquals(Object.keys(await contents(join(scene.ada, "new"))).length, MESSAGES - 1);
}

for (const [whose, ownership] of Object.entries(OWNERSHIPS)) {
  rootTest(`exchanged names: a mailbox ${whose} leads nowhere else`, async (t) => {
    await using scene = await setScene(ownership);
    await t.step("folders that are exchanged with links", () => exchangedFolders(scene));
    await t.step("messages that are exchanged with links", () => exchangedMessages(scene));
    await t.step("a link in a folder's place after the login", () => linkInAFoldersPlace(scene));
    await t.step("FIFOs in messages' places hold nobody up", () => fifosInMessagesPlaces(scene));
    await t.step("mail that other accounts delivered is served", () => mailOfOthers(scene));
  });
}

rootTest(
  "exchanged names: a transformer is given nothing else than the mailbox's messages",
  async () => {
    const flags = ["--transformer", "cat"];
    await using scene = await setScene(OWNERSHIPS["that belongs to its user"], { flags });
    await exchangedFolders(scene);
  },
);

rootTest(
  "exchanged names: what a mailbox lacks is made for its owner, and nothing else is given away",
  async () => {
    await using scene = await setScene(OWNERSHIPS["that belongs to its user"]);
    const look = async (): Promise<unknown[]> => {
      const { uid, gid, mode } = await Deno.stat(scene.keys);
      return [uid, gid, mode];
    };
    const before = await look();
    // As soon as cur is there, a link stands in its place.
    const swap = `my $n; while (getppid() > 1) {
    next if -l "cur" || !-d "cur";
    rename "cur", "made" . ++$n; symlink $ARGV[0], "cur"; select undef, undef, undef, 0.005; unlink "cur";
  }`;
    for (let round = 0; round < 2 * ROUNDS; round++) {
      await scene.restore();
      await Deno.remove(join(scene.ada, "cur"));
      await using _attack = await asAda(scene.ada, swap, scene.keys);
      for (let session = 0; session < SESSIONS; session++) {
        using client = await scene.program.connect();
        await login(client);
        await client.ok("QUIT");
        await client.ended();
      }
      assertEquals(await look(), before);
    }
    await scene.restore();
    for (const folder of ["cur", "tmp"]) await Deno.remove(join(scene.ada, folder));
    await eventually("ada's maildrop being free", async () => {
      using client = await scene.program.connect();
      const isOpen = await login(client);
      await client.ok("QUIT");
      await client.ended();
      return isOpen;
    });
    for (const folder of ["cur", "tmp"]) {
      const { uid, gid, mode, isDirectory } = await Deno.lstat(join(scene.ada, folder));
      assertEquals([uid, gid, (mode ?? 0) & 0o7777, isDirectory], [ADA, ADA, 0o700, true]);
    }
  },
);

rootTest(
  "exchanged names: without the helper nothing is removed by name, and the log says what to install",
  async () => {
    const env = { env: { PATH: "/nonexistent" } };
    {
      await using scene = await setScene(OWNERSHIPS["that belongs to its user"], env);
      using client = await scene.program.connect();
      await client.login("ada", "secret");
      assertMatch(textOf(await client.retrieve(1)), /ada's 0/);
      await client.ok("DELE 2");
      assertEquals(
        await client.command("QUIT"),
        "-ERR [SYS/PERM] some deleted messages not removed (1 of 1)",
      );
      await client.ended();
      assertEquals(Object.keys(await contents(join(scene.ada, "new"))).length, MESSAGES);
      await eventually("a sentence in the log", () => /install perl/.test(scene.program.stderr));
    }
    await using scene = await setScene(OWNERSHIPS["that its user's group can write"], env);
    using client = await scene.program.connect();
    await client.line();
    await client.ok("USER ada");
    assertMatch(await client.command("PASS secret"), /^-ERR \[SYS\/PERM\] /);
    await eventually("a sentence in the log", () => /install perl/.test(scene.program.stderr));
    // A mailbox that only the server's account writes in needs no helper.
    using other = await scene.program.connect();
    await other.login("bob", "secret");
    await other.ok("DELE 1");
    assertEquals(await other.command("QUIT"), `+OK ${MESSAGES - 1} messages left`);
  },
);
