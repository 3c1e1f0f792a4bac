// The management port of the started program: what it does to sessions, what outlives restarts and kills, how it opens and ends.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import {
  type RunningProgram,
  runProgram,
  serveArguments,
  startProgram,
} from "../support/program.ts";
import { testAuthority } from "../support/certificates.ts";
import { eventually } from "../support/waiting.ts";

const ROOT = ["--admin", "root:secret", "--auth-delay", "0"];

async function manage(program: RunningProgram, version: 1 | 2 = 2): Promise<Pop3Client> {
  const client = await Pop3Client.connect({ port: program.port("msmp") });
  await client.login("root", "secret");
  if (version === 2) await client.ok("MSMP 2");
  return client;
}

/** Asks for a list of version 2. */
async function ask(client: Pop3Client, line: string): Promise<string[]> {
  await client.ok(line);
  return await client.list();
}

Deno.test("sessions are seen, protected from DELE, kicked and recorded", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "bob"), "maildir", [messageOfSize(500)]);
  await using program = await startProgram({
    maildir: folder.path,
    users: { bob: "builder" },
    flags: ROOT,
  });
  using admin = await manage(program);
  using bob = await program.connect();
  await bob.login("bob", "builder");
  await bob.retrieve(1);
  let rows: string[] = [];
  await eventually("RETR in SESSIONS", async () => {
    rows = await ask(admin, "SESSIONS");
    return rows[0]?.endsWith(" RETR") === true;
  });
  assertEquals(rows.length, 1);
  assertMatch(rows[0]!, /^\S+ bob 127\.0\.0\.1 - transaction \d{4}-\S+Z \d+ RETR$/);
  assertEquals(await admin.command("DELE bob"), "-ERR User is currently logged in");
  const id = rows[0]!.split(" ")[0]!;
  assertEquals(await admin.command(`KICK ${id}`), "+OK Session ended");
  await bob.ended();
  await eventually(
    "the end of the session",
    async () => (await ask(admin, "SESSIONS")).length === 0,
  );
  const [record] = await ask(admin, "LOGS bob");
  assertStringIncludes(record!, " IP: 127.0.0.1 tls=- mechanism=USER messages=1 octets=500 ");
  assertStringIncludes(record!, `ending=kicked session=${id}`);
  assertEquals(await ask(admin, "LIST bob"), ["bob 1 logs"]);
  assertEquals(await ask(admin, "STAT pop3.logins"), ["pop3.logins: 1"]);
  using classic = await manage(program, 1);
  await classic.ok("LOGS bob");
  assertMatch(await classic.line(), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d IP: 127\.0\.0\.1$/);
  assertEquals(await admin.command("DELE bob"), "+OK Deleted user");
  const audit = (): string[] =>
    program.log.filter(({ properties }) => properties.category === "audit").map((l) => l.message);
  await eventually("the audit", () => audit().length === 2, () => audit());
  assertEquals(
    audit(),
    [
      `root from 127.0.0.1: KICK ${id}: bob from 127.0.0.1 → ended`,
      "root from 127.0.0.1: DELE bob: a user → deleted",
    ],
  );
});

Deno.test("what a client has seen happen, administrators see at once", async () => {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "bob"), "maildir", [messageOfSize(500)]);
  await using program = await startProgram({
    maildir: folder.path,
    users: { bob: "builder" },
    flags: [...ROOT, "--workers", "2"],
  });
  using admin = await manage(program);
  using classic = await manage(program, 1);
  for (let time = 1; time <= 10; time++) {
    using bob = await program.connect();
    await bob.login("bob", "builder");
    assertEquals(await ask(admin, "STAT pop3.connections"), [`pop3.connections: ${time}`]);
    assertMatch((await ask(admin, "SESSIONS"))[0] ?? "", / bob .* transaction .* PASS$/);
    assertEquals(await ask(admin, "HISTORY pop3.sessions.active 1").then((rows) => rows.length), 1);
    await bob.retrieve(1);
    const retrieved = "pop3.messages.retrieved";
    assertEquals(await ask(admin, `STAT ${retrieved}`), [`${retrieved}: ${time}`]);
    await bob.ok("QUIT");
    assertMatch(
      (await ask(admin, "LOGS bob 1"))[0] ?? "",
      / messages=1 octets=500 .* ending=quit /,
    );
    await classic.ok("LIST bob");
    assertEquals(await classic.line(), `bob ${time} logs`);
  }
});

Deno.test("users, passwords and settings are in force at once and outlive a restart", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const other = join(folder.path, "other");
  await Deno.mkdir(maildir);
  await makeMailbox(join(other, "carol"), "maildir", [messageOfSize(300)]);
  const options = { maildir, state: join(folder.path, "state.db"), flags: ROOT };
  let key = "";
  {
    await using program = await startProgram(options);
    using admin = await manage(program);
    assertEquals(await admin.command("ADD carol two words"), "+OK Added user");
    assert((await Deno.stat(join(maildir, "carol", "cur"))).isDirectory);
    using before = await program.connect();
    assertEquals(await before.login("carol", "two words"), "+OK 0 messages (0 octets)");
    assertEquals(await admin.command(`SET maildir ${other}`), "+OK Changed value");
    assertEquals(await before.command("STAT"), "+OK 0 0");
    await before.ok("QUIT");
    await before.ended();
    using after = await program.connect();
    assertEquals(await after.login("carol", "two words"), "+OK 1 messages (300 octets)");
    await after.ok("QUIT");
    assertEquals(await admin.command("SET max_users 7"), "+OK Changed value");
    key = (await admin.ok("KEY ADD carol telephone")).slice(4);
    assertEquals(await admin.command("ADMIN ADD second pass"), "+OK Added administrator");
    await admin.command("QUIT");
  }
  await using program = await startProgram(options);
  using admin = await manage(program);
  assertEquals(await admin.command("GET max_users"), "+OK 7");
  assertEquals(await admin.command("GET maildir"), `+OK ${maildir}`, "the flag wins over SET");
  assertEquals(await ask(admin, "LIST"), ["carol"]);
  assertEquals(await ask(admin, "LIST carol"), ["carol 2 logs"]);
  assertEquals(await ask(admin, "ADMIN LIST"), ["root", "second"]);
  using carol = await program.connect();
  await carol.login("carol", key);
  assert(!program.stderr.includes("two words") && !program.stderr.includes(key));
});

Deno.test("a kill in the middle of ADD and SET loses nothing that was answered", async () => {
  await using folder = await temporaryFolder();
  const options = { maildir: folder.path, state: join(folder.path, ".state.db"), flags: ROOT };
  const added: string[] = [];
  let set = "";
  for (let round = 0; round < 2; round++) {
    const program = await startProgram(options);
    using users = await manage(program);
    using settings = await manage(program);
    const done = Promise.allSettled([
      (async () => {
        for (let n = 0;; n++) {
          const name = `user-${round}-${n}`;
          if (await users.command(`ADD ${name} p`) === "+OK Added user") added.push(name);
        }
      })(),
      (async () => {
        for (let n = 1;; n++) {
          if (await settings.command(`SET max_users ${100_000 + n}`) === "+OK Changed value") {
            set = String(100_000 + n);
          }
        }
      })(),
    ]);
    const least = added.length + 20;
    await eventually("some changes", () => added.length > least && set !== "");
    await program.stop("SIGKILL");
    await done;
  }
  await using program = await startProgram(options);
  using admin = await manage(program);
  const names = new Set(await ask(admin, "LIST"));
  assertEquals(added.filter((name) => !names.has(name)), []);
  assert(Number((await admin.ok("GET max_users")).slice(4)) >= Number(set));
});

Deno.test("SHUTDOWN lets sessions end and ends the program with status 0", async () => {
  await using folder = await temporaryFolder();
  const program = await startProgram({
    maildir: folder.path,
    users: { bob: "builder" },
    flags: ROOT,
  });
  using bob = await program.connect();
  await bob.login("bob", "builder");
  using admin = await manage(program);
  assertEquals(await admin.command("SHUTDOWN"), "+OK Shutting down");
  await eventually("the ports being closed", async () => {
    try {
      (await Pop3Client.connect({ port: program.port("msmp") }))[Symbol.dispose]();
      return false;
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return true;
      throw error;
    }
  });
  assertEquals((await ask(admin, "SESSIONS")).length, 1, "the end can be watched");
  await bob.ok("NOOP");
  await bob.ok("QUIT");
  await admin.ended();
  assertEquals((await program.ended()).code, 0);
});

Deno.test("RELOAD and SIGHUP read config file and users file again; what is wrong stays as it was", async () => {
  await using folder = await temporaryFolder();
  const config = join(folder.path, "postern.toml");
  const users = join(folder.path, "users");
  await Deno.writeTextFile(config, "max-messages = 5\n");
  await Deno.writeTextFile(users, "filed:{PLAIN}one\n");
  await using program = await startProgram({
    maildir: folder.path,
    flags: [...ROOT, "--config", config, "--users", users],
  });
  using admin = await manage(program);
  assertEquals(await admin.command("GET max_messages"), "+OK 5");
  assertEquals(
    await admin.command("DELE filed"),
    `-ERR User is in the file ${users}: remove the line there`,
  );
  assertMatch(await admin.command("KEY ADD filed x"), /^-ERR User is in the file/);
  await Deno.writeTextFile(config, "max-messages = 6\n");
  await Deno.writeTextFile(users, "filed:{PLAIN}one\nnewcomer:{PLAIN}two\n");
  assertEquals(await admin.command("RELOAD"), "+OK Reloaded; settings changed: 1");
  assertEquals(await admin.command("GET max_messages"), "+OK 6");
  assertEquals(await ask(admin, "LIST"), ["filed", "newcomer"]);
  await Deno.writeTextFile(config, "max-messages = many\n");
  assertMatch(await admin.command("RELOAD"), /^-ERR .*postern\.toml/);
  assertEquals(await admin.command("GET max_messages"), "+OK 6");
  await admin.ok("SET max_messages 9");
  await Deno.writeTextFile(config, "max-messages = 7\nmax-users = 3\n");
  program.signal("SIGHUP");
  await eventually(
    "the reload",
    async () => await admin.command("GET max_users") === "+OK 3",
  );
  assertEquals(await admin.command("GET max_messages"), "+OK 9", "SIGHUP undoes no SET");
  assertEquals(await ask(admin, "LIST"), ["filed", "newcomer"]);
});

Deno.test("the port is open on both loopback addresses, warns without an administrator, and lets nobody in", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({ maildir: folder.path });
  const msmp = program.listeners.filter(({ protocol }) => protocol === "msmp");
  assertEquals(msmp[0]?.address, "127.0.0.1");
  assertEquals(new Set(msmp.map(({ port }) => port)).size, 1);
  for (const { address, port } of msmp) {
    using client = await Pop3Client.connect({ hostname: address, port });
    assertEquals(await client.line(), "+OK MSMP1 server ready");
  }
  assert(
    program.log.some(({ level, message }) =>
      level === "warning" && message.includes("-a NAME:PASS")
    ),
  );
  assert(!program.log.some(({ message }) => message.includes("in clear")));
});

Deno.test("a port for other machines without a certificate is warned of", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    flags: [...ROOT, "-L", "0.0.0.0"],
  });
  assert(
    program.log.some(({ level, message }) =>
      level === "warning" && message.includes("0.0.0.0") && message.includes("in clear")
    ),
  );
});

Deno.test("a management port that is taken ends the start with a sentence", async () => {
  await using folder = await temporaryFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const args = serveArguments({ maildir: folder.path, flags: ROOT });
  const at = args.indexOf("--admin-port");
  const { code, stderr } = await runProgram(args.with(at + 1, String(port)));
  assertEquals(code, 1);
  assertStringIncludes(stderr, `port ${port}`);
  assertStringIncludes(stderr, "another program is using it");
});

Deno.test("STLS: passwords go under TLS where they must", async () => {
  await using folder = await temporaryFolder();
  await using authority = await testAuthority();
  const { chain, key } = await authority.issue("localhost");
  await using program = await startProgram({
    maildir: folder.path,
    flags: [...ROOT, "--tls-cert", chain, "--tls-key", key, "--tls-port", "0", "--require-tls"],
  });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: program.port("msmp") });
  const clear = new Pop3Client({
    read: (into) => conn.read(into),
    write: (octets) => conn.write(octets),
    closeWrite: () => conn.closeWrite(),
    [Symbol.dispose]: () => {},
  });
  assertEquals(await clear.line(), "+OK MSMP1 server ready");
  await clear.ok("USER root");
  assertEquals(await clear.command("PASS secret"), "-ERR TLS required");
  assertEquals(await clear.command("STLS"), "+OK Begin TLS");
  const secure = await Deno.startTls(conn, {
    hostname: "localhost",
    caCerts: [authority.ca],
  });
  using client = new Pop3Client({
    read: (into) => secure.read(into),
    write: (octets) => secure.write(octets),
    closeWrite: () => Promise.resolve(),
    [Symbol.dispose]: () => secure.close(),
  });
  assertEquals(
    await client.command("PASS secret"),
    "-ERR Invalid credentials",
    "USER is forgotten",
  );
  await client.ok("USER root");
  assertEquals(await client.command("PASS secret"), "+OK Logged in");
  await client.ok("MSMP 2");
  assert((await ask(client, "CAPA")).includes("STLS"));
});

Deno.test("many administrators work at once; one too many waits for a place", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({ maildir: folder.path, flags: ROOT });
  const port = program.port("msmp");
  const clients = await Promise.all(Array.from({ length: 64 }, () => manage(program)));
  try {
    using late = await Pop3Client.connect({ port });
    const greeting = late.line();
    const answers = await Promise.all(clients.map(async (client, index) => {
      await client.ok(`ADD user-${index} p`);
      await client.ok(`SET max_messages ${index + 1}`);
      return await client.command("GET max_messages");
    }));
    assert(answers.every((answer) => /^\+OK \d+$/.test(answer)));
    assertEquals((await ask(clients[0]!, "LIST")).length, 64);
    const first = await Promise.race([greeting, clients[1]!.command("NOOP")]);
    assertEquals(first, "+OK", "the late one still waits");
    await clients[0]!.ok("QUIT");
    assertEquals(await greeting, "+OK MSMP1 server ready");
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});
