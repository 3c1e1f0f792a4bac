// One server with its state in PostgreSQL serves as one with a file does.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { Cluster, clusterTest, logIn, USERS, visit } from "./nodes.ts";

clusterTest(
  "a server over PostgreSQL serves, deletes, and goes on after a restart and a kill",
  async () => {
    await using cluster = await Cluster.make();
    for (const end of ["SIGTERM", "SIGKILL"] as const) {
      const node = await cluster.start("one");
      const { answer, client } = await logIn(node, "ann");
      assertMatch(answer, /^\+OK/);
      await client.ok("DELE 1");
      assertMatch(await client.command("QUIT"), /^\+OK/);
      client[Symbol.dispose]();
      const { said } = await cluster.manage(node, "logs", "ann");
      assertMatch(said, /quit/);
      assertEquals((await cluster.manage(node, "set", "timeout", "700")).code, 0);
      assertEquals((await node.stop(end)).code, end === "SIGTERM" ? 0 : 137);
      if (end === "SIGTERM") {
        assertEquals(cluster.sql("SELECT count(*) FROM {node}"), "0");
        assertEquals(cluster.sql("SELECT ending, deleted FROM {access}"), "quit|1");
      } else {
        // Its name is free when it has been silent for ten seconds.
        cluster.sql("UPDATE {node} SET seen = now() - interval '11 s'");
      }
    }
    const node = await cluster.start("one");
    const { answer, client } = await logIn(node, "ann");
    assertMatch(answer, /^\+OK 1 messages/);
    client[Symbol.dispose]();
    assertMatch((await cluster.manage(node, "get", "timeout")).said, /700/);
  },
);

clusterTest("a session that a kill ended is crashed in the access log, once", async () => {
  await using cluster = await Cluster.make();
  const node = await cluster.start("one");
  const { client } = await logIn(node, "ann");
  await node.stop("SIGKILL");
  client[Symbol.dispose]();
  cluster.sql("UPDATE {node} SET seen = now() - interval '11 s'");
  const again = await cluster.start("one");
  assertMatch(await visit(again, "ann"), /^\+OK/);
  assertEquals(
    cluster.sql("SELECT name, ending FROM {access} ORDER BY at"),
    "ann|crashed\nann|quit",
  );
  assertEquals(cluster.sql("SELECT count(*) FROM {lease} WHERE name NOT LIKE '*%'"), "0");
});

clusterTest("users are managed beside a server whose state is in PostgreSQL", async () => {
  await using cluster = await Cluster.make();
  const node = await cluster.start("one");
  const user = (...args: string[]): ReturnType<typeof runProgram> =>
    runProgram(["user", ...args, "--state", cluster.url], {
      env: { POSTERN_STATE_PASSWORD: cluster.postgres.password },
    });
  const { code, stderr } = await user("passwd", "bob:new secret");
  assertEquals(code, 0, stderr);
  using client = await node.connect();
  await client.login("bob", "new secret");
  await client.ok("QUIT");
  assertEquals((await user("list")).stdout, `${Object.keys(USERS).sort().join("\n")}\n`);
});

clusterTest("a database that cannot be used is one sentence, and exit status 1", async () => {
  await using cluster = await Cluster.make();
  const { postgres, schema } = cluster;
  const start = async (
    state: string,
    password: string | undefined,
    name = "x",
  ): Promise<string> => {
    const { code, stderr } = await runProgram([
      ...["serve", "--listen", "127.0.0.1", "--port", "0", "--admin-port", "0"],
      ...["--maildir", cluster.maildir, "--state", state, "--state-wait", "1"],
      ...password === undefined ? [] : ["--state-password", password],
      ...["--log-format", "json", "--node", name],
    ]);
    assertEquals(code, 1, stderr);
    const sentences = stderr.split("\n").filter((line) => line.startsWith("postern: "));
    assertEquals(sentences.length, 1, stderr);
    return sentences[0]!;
  };
  const { password, port } = postgres;
  const at = (host: string, database = "postgres", more = ""): string =>
    `postgres://postern@${host}/${database}?schema=${schema}${more}`;
  const here = `127.0.0.1:${port}`;
  assertMatch(await start(at("127.0.0.1:1"), password), /cannot be reached: nothing listens there/);
  assertMatch(await start(at(here), "wrong"), /refuses the password.*--state-password/);
  assertMatch(await start(at(here), undefined), /asks for a password.*--state-password/);
  assertMatch(await start(at(here), "@/nowhere"), /password file \/nowhere/);
  assertMatch(await start(at(here, "nowhere"), password), /has no such database/);
  assertMatch(await start(at(here, "postgres", "&sslmode=require"), password), /cannot be trusted/);
  cluster.sql(`CREATE SCHEMA ${schema}`);
  cluster.sql("CREATE TABLE {installation} (id int)");
  assertMatch(await start(at(here), password), /belongs to another program/);
  cluster.sql(`DROP SCHEMA ${schema} CASCADE`);
  const node = await cluster.start("one");
  assertMatch(await start(at(here), password, "one"), /name one is in use.*--node/);
  await node.stop();
  cluster.sql("UPDATE {installation} SET value = '1000' WHERE name = 'version'");
  assertMatch(await start(at(here), password), /version 1000, made by a newer Postern/);
  const before = cluster.sql("SELECT count(*) FROM {account}");
  assert(Number(before) > 0);
});

clusterTest("a start waits for a database that is not there yet", async () => {
  const { TestPostgres } = await import("../support/postgres.ts");
  const postgres = TestPostgres.start();
  await using cluster = await Cluster.make({ postgres });
  postgres.down();
  const node = await cluster.startWith("one", {
    async starting(program): Promise<void> {
      const waits = (): boolean => program.stderr.includes("for the database");
      await eventually("that it says it waits", waits, () => program.stderr);
      postgres.up();
    },
  });
  assertMatch(await visit(node, "ann"), /^\+OK/);
});
