// Several servers over one database and one mail folder: any serves any user, one at a time, and nothing is removed twice or too late.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { eventually } from "../support/waiting.ts";
import { Cluster, clusterTest, logIn, USERS, visit } from "./nodes.ts";

const IN_USE = /^-ERR \[IN-USE\]/;

clusterTest(
  "a user who is logged in on one server is in use on the others, until QUIT",
  async () => {
    await using cluster = await Cluster.make();
    const [a, b] = [await cluster.start("a"), await cluster.start("b")];
    const { client } = await logIn(a, "ann");
    assertMatch(await visit(b, "ann"), IN_USE);
    assertMatch(await visit(b, "bob"), /^\+OK/);
    await client.ok("DELE 2");
    assertMatch(await client.command("QUIT"), /^\+OK/);
    // The answer to QUIT waits for the lock to be free everywhere.
    assertMatch(await visit(b, "ann"), /^\+OK 2 messages/);
    client[Symbol.dispose]();
  },
);

clusterTest("what one server changes, the others know", async () => {
  await using cluster = await Cluster.make();
  const [a, b] = [await cluster.start("a"), await cluster.start("b")];
  assertEquals((await cluster.manage(a, "set", "timeout", "777")).code, 0);
  assertEquals((await cluster.manage(a, "ban", "198.51.100.0/24")).code, 0);
  await eventually(
    "the setting being known",
    async () => (await cluster.manage(b, "get", "timeout")).said.includes("777"),
  );
  await eventually(
    "the ban being known",
    async () => (await cluster.manage(b, "bans")).said.includes("198.51.100.0/24"),
  );
  assertEquals((await cluster.manage(b, "unban", "198.51.100.0/24")).code, 0);
  await eventually(
    "the ban being ended",
    async () => !(await cluster.manage(a, "bans")).said.includes("198.51.100.0/24"),
  );
  const { code, said } = await cluster.manage(a, "dele", "cleo");
  assertEquals(code, 0, said);
  assertMatch(await visit(b, "cleo"), /^-ERR \[AUTH\]/);
});

clusterTest("a server's own folder or program keeps a setting from it, which it says", async () => {
  await using cluster = await Cluster.make();
  const [a, b] = [
    await cluster.start("a", "--allow-transformer", "cat"),
    await cluster.start("b", "--allow-transformer", "sed"),
  ];
  const { code, said } = await cluster.manage(a, "set", "transformer", "cat");
  assertEquals(code, 0, said);
  await eventually(
    "the other server saying that it cannot",
    () => b.log.some(({ message }) => /keeps its own transformer/.test(message)),
  );
  assertMatch((await cluster.manage(b, "get", "transformer")).said, /none/);
});

clusterTest(
  "the users of a killed server log in elsewhere when it has been silent for ten seconds",
  async () => {
    await using cluster = await Cluster.make();
    const [a, b] = [await cluster.start("a"), await cluster.start("b")];
    const { client } = await logIn(a, "ann");
    await a.stop("SIGKILL");
    client[Symbol.dispose]();
    assertMatch(await visit(b, "ann"), IN_USE);
    const killed = performance.now();
    await eventually(
      "ann's lock being taken over",
      async () => (await visit(b, "ann")).startsWith("+OK"),
      () => b.stderr,
      60_000,
    );
    const seconds = (performance.now() - killed) / 1000;
    assert(seconds > 6, `${seconds}`);
    assertEquals(
      cluster.sql("SELECT node, ending FROM {access} WHERE name = 'ann' ORDER BY at"),
      "a|crashed\nb|quit",
    );
  },
);

clusterTest(
  "a server that stood still removes nothing once another has its user's lock",
  async () => {
    await using cluster = await Cluster.make({ messages: 4 });
    const [a, b] = [await cluster.start("a"), await cluster.start("b")];
    const { client } = await logIn(a, "ann");
    await client.ok("DELE 1");
    await client.ok("DELE 2");
    a.signal("SIGSTOP");
    await client.send("QUIT\r\n");
    // As if it had stood for long.
    await eventually("the other server taking the lock over", async () => {
      cluster.sql("UPDATE {node} SET seen = now() - interval '11 s' WHERE name = 'a'");
      return (await visit(b, "ann")).startsWith("+OK 4 messages");
    });
    const other = await logIn(b, "ann");
    assertMatch(other.answer, /^\+OK 4 messages/);
    a.signal("SIGCONT");
    // Whether it reads QUIT first, or learns first that the lock is gone, which ends the session.
    const answer = await client.line().catch((error) => String(error));
    assertMatch(
      answer,
      /^-ERR \[SYS\/TEMP\] the lock was lost, 0 of 2 messages were removed$|connection ended/,
    );
    for (let number = 1; number <= 4; number++) await other.client.retrieve(number);
    await other.client.ok("QUIT");
    other.client[Symbol.dispose]();
    client[Symbol.dispose]();
    // It is taken in again, and serves.
    await eventually(
      "the server serving again",
      async () => (await visit(a, "ann")).startsWith("+OK"),
    );
    await eventually(
      "the server being taken in again",
      () => cluster.sql("SELECT epoch FROM {node} WHERE name = 'a'") === "2",
    );
  },
);

clusterTest("sessions outlive a restart of the database, and logins are served again", async () => {
  const { TestPostgres } = await import("../support/postgres.ts");
  await using cluster = await Cluster.make({ postgres: TestPostgres.start() });
  const { postgres } = cluster;
  const [a, b] = [await cluster.start("a"), await cluster.start("b")];
  const reader = await logIn(a, "ann");
  const deleter = await logIn(a, "bob");
  await deleter.client.ok("DELE 1");
  postgres.down("immediate");
  assertEquals((await reader.client.retrieve(1)).length > 0, true);
  // The first may wait for the database; the next do not.
  assertMatch(await visit(b, "cleo"), /^-ERR \[SYS\/TEMP\]/);
  const begun = performance.now();
  assertMatch(await visit(b, "cleo"), /^-ERR \[SYS\/TEMP\]/);
  assert(performance.now() - begun < 500);
  const asked = performance.now();
  assertMatch(
    await deleter.client.command("QUIT"),
    /^-ERR \[SYS\/TEMP\] the lock was lost, 0 of 1 messages were removed$/,
  );
  const waited = performance.now() - asked;
  assert(waited > 4000 && waited < 9000, `${waited}`);
  assertMatch(await reader.client.command("QUIT"), /^\+OK/);
  reader.client[Symbol.dispose]();
  deleter.client[Symbol.dispose]();
  postgres.up();
  await eventually("logins being served", async () => (await visit(b, "ann")).startsWith("+OK"));
  assertMatch(await visit(b, "bob"), /^\+OK 3 messages/);
  await eventually(
    "the ends being written",
    () => cluster.sql("SELECT count(*) FROM {access} WHERE node = 'a' AND ending = 'quit'") === "2",
  );
});

clusterTest("a mail folder belongs to one state, and to files or to a database", async () => {
  await using cluster = await Cluster.make();
  await cluster.start("a");
  const { startProgram } = await import("../support/program.ts");
  const alone = await startProgram({
    maildir: cluster.maildir,
    users: USERS,
    state: join(cluster.maildir, "..", "postern.db"),
  }).then(() => "started", (error) => String(error));
  assertMatch(alone, /Another Postern serves the mail folder/);
  await using other = await Cluster.make();
  Object.defineProperty(other, "maildir", { value: cluster.maildir });
  const second = await other.start("z").then(() => "started", (error) => String(error));
  assertMatch(second, /belongs to servers of another state/);
});

clusterTest(
  "administrators see all servers on each, and end sessions wherever they are",
  async () => {
    await using cluster = await Cluster.make();
    const [a, b] = [await cluster.start("a"), await cluster.start("b")];
    const { client } = await logIn(a, "ann");
    using other = (await logIn(b, "bob")).client;
    const sessions = async (...more: string[]): Promise<string[]> => {
      const { said } = await cluster.manage(b, "--json", "sessions", ...more);
      return (JSON.parse(said) as { user: string; id: string }[]).map(({ user }) => user);
    };
    assertEquals((await sessions()).sort(), ["ann", "bob"]);
    const ask = async (...lines: string[]): Promise<string[]> => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: b.port("msmp") });
      const sent = ["USER root", "PASS toor", "MSMP 2", ...lines, "QUIT", ""].join("\r\n");
      await conn.write(new TextEncoder().encode(sent));
      return (await new Response(conn.readable).text()).split("\r\n").slice(4, -2);
    };
    const nodes = await ask("NODES");
    assertMatch(nodes[1]!, /^a serving \S+Z \S+Z \S+ \d+ \d+ \d+$/);
    assertMatch(nodes[2]!, /^b serving /);
    assertEquals((await ask("SESSIONS @a")).filter((line) => / ann /.test(line)).length, 1);
    assertEquals((await ask("SESSIONS @a")).filter((line) => / bob /.test(line)).length, 0);
    await eventually(
      "both sessions being counted",
      async () => (await ask("STAT pop3.logins")).includes("pop3.logins: 2"),
    );
    assertEquals((await ask("STAT pop3.logins @b"))[1], "pop3.logins: 1");
    await eventually(
      "the other's login being counted",
      async () => (await ask("STAT pop3.logins @a")).includes("pop3.logins: 1"),
    );
    await eventually(
      "the minute being summed",
      async () => (await ask("HISTORY pop3.sessions.active 2")).some((line) => / 2$/.test(line)),
    );
    assertMatch((await ask("STAT @nobody"))[0]!, /^-ERR no such node: nobody/);
    const id = (await ask("SESSIONS @a")).find((line) => / ann /.test(line))!.split(" ")[0]!;
    assertEquals(await ask(`KICK ${id}`), ["+OK Session ended"]);
    await client.ended();
    client[Symbol.dispose]();
    assertEquals(await ask("KICK nobody-1"), ["-ERR No such session"]);
    assertMatch((await cluster.manage(a, "logs", "ann")).said, /kicked/);
    assertMatch((await ask("DRAIN a"))[0]!, /^\+OK a /);
    assertEquals((await a.ended()).code, 0);
    assertEquals(
      (await ask("NODES")).filter((line) => line.startsWith("a ")),
      [],
    );
    await other.ok("QUIT");
  },
);

clusterTest("a server that does not answer is told of, and keeps its session", async () => {
  await using cluster = await Cluster.make();
  const [a, b] = [await cluster.start("a"), await cluster.start("b")];
  using client = (await logIn(a, "ann")).client;
  const { said } = await cluster.manage(b, "--json", "sessions");
  const [{ id }] = JSON.parse(said);
  a.signal("SIGSTOP");
  const kicked = await cluster.manage(b, "kick", id);
  a.signal("SIGCONT");
  assertMatch(kicked.said, /node a does not answer/);
  void client;
});

clusterTest("guesses are counted over all servers", async () => {
  await using cluster = await Cluster.make();
  const flags = ["--ban-failures", "8", "--proxy-protocol", "127.0.0.1"];
  const nodes = [await cluster.start("a", ...flags), await cluster.start("b", ...flags)];
  const greet = async (turn: number): Promise<string> => {
    using client = await nodes[turn % 2]!.connect();
    await client.send("PROXY TCP4 198.51.100.7 192.0.2.1 4000 110\r\n");
    const greeting = await client.line();
    if (!greeting.startsWith("+OK")) return greeting;
    await client.ok("USER ann");
    return await client.command(`PASS guess ${turn}`);
  };
  for (let turn = 0; turn < 6; turn++) assertMatch(await greet(turn), /^-ERR \[AUTH\]/);
  await eventually(
    "both servers' failures being known",
    () =>
      cluster.sql("SELECT count(*) FROM {failure} WHERE target = 'users:address:198.51.100.7'") ===
        "6",
  );
  // The second beat from here on comes after each has learned what the other told.
  const now = cluster.sql("SELECT now() + interval '2 s'");
  await eventually(
    "two beats of both",
    () => cluster.sql(`SELECT min(seen) > '${now}' FROM {node}`) === "t",
  );
  for (let turn = 6; turn < 8; turn++) await greet(turn);
  await eventually(
    "the address being banned on both",
    async () =>
      /Too many failed logins/.test(await greet(100)) &&
      /Too many failed logins/.test(await greet(101)),
  );
  assert(Number(cluster.sql("SELECT failures FROM {ban} WHERE target = '198.51.100.7'")) <= 9);
});
