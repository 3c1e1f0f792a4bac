// Limits and locks hold across workers: places, addresses, users, and who comes next.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { administrator, manyUsers, ROOT } from "./support.ts";

for (const workers of [1, 2, 4]) {
  Deno.test(`${workers} workers serve max_connections together, raised and lowered while they run`, async () => {
    await using folder = await temporaryFolder();
    await using program = await startProgram({
      maildir: folder.path,
      users: { crowd: "secret" },
      flags: [
        ...ROOT,
        ...["--workers", `${workers}`],
        ...["--max-connections", "30"],
        ...["--max-sessions-per-user", "1000"],
      ],
    });
    using admin = await administrator(program);
    let entered = 0;
    const clients = await Promise.all(Array.from({ length: 120 }, () => program.connect()));
    const inside = new Set<Pop3Client>();
    for (const client of clients) {
      void client.login("crowd", "secret").then(() => {
        entered++;
        inside.add(client);
      }, () => {});
    }
    try {
      await eventually("30 being logged in", () => entered >= 30);
      await settled(30);
      assertEquals(await admin.command("SET max_connections 45"), "+OK Changed value");
      await eventually("45 being logged in", () => entered >= 45);
      await settled(45);
      // Those who are in stay in, and nobody follows until there is room again.
      assertEquals(await admin.command("SET max_connections 10"), "+OK Changed value");
      await leave(35);
      await settled(45);
      await leave(4);
      await eventually("4 more being logged in", () => entered >= 49);
      await settled(49);
      assertEquals(await admin.command("SET max_connections 1000"), "+OK Changed value");
      await eventually("everybody being logged in", () => entered === 120);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }

    /** Everybody inside gets an answer, by which time somebody too many would have been logged in. */
    async function settled(expected: number): Promise<void> {
      for (const client of inside) await client.ok("NOOP");
      assertEquals(entered, expected);
    }

    async function leave(count: number): Promise<void> {
      for (const client of [...inside].slice(0, count)) {
        inside.delete(client);
        await client.ok("QUIT");
        await client.ended();
      }
    }
  });
}

Deno.test("max_connections_per_ip counts the sessions of all workers", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    flags: ["--workers", "4", "--max-connections-per-ip", "7"],
  });
  const clients = [];
  try {
    for (let count = 0; count < 7; count++) {
      const client = await program.connect();
      clients.push(client);
      assert((await client.line()).startsWith("+OK "));
    }
    for (let count = 0; count < 8; count++) {
      using refused = await program.connect();
      assertEquals(
        await refused.line(),
        "-ERR [SYS/TEMP] Too many connections from your address",
      );
      await refused.ended();
    }
    // One that ends makes room for one, whichever worker either meets.
    await clients.shift()!.leave();
    const next = await program.connect();
    clients.push(next);
    assert((await next.line()).startsWith("+OK "));
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});

Deno.test("a session that follows QUIT's answer at once never finds the maildrop in use", async () => {
  await using folder = await temporaryFolder();
  const users = await manyUsers(folder.path, 4, 3);
  await using program = await startProgram({
    maildir: folder.path,
    users,
    flags: ["--workers", "4"],
  });
  await Promise.all(
    Object.keys(users).map(async (user) => {
      for (let round = 0; round < 50; round++) {
        using client = await program.connect();
        assertEquals(await client.login(user, "x"), "+OK 3 messages (600 octets)");
        assertEquals(await client.command("QUIT"), "+OK 3 messages left");
      }
    }),
  );
});

Deno.test("a user's sessions are counted over all workers", async () => {
  await using folder = await temporaryFolder();
  const users = await manyUsers(folder.path, 1);
  await using program = await startProgram({
    maildir: folder.path,
    users,
    flags: ["--workers", "4", "--max-sessions-per-user", "2"],
  });
  using first = await program.connect();
  await first.login("u0", "x");
  using second = await program.connect();
  await second.login("u0", "x");
  for (let round = 0; round < 3; round++) {
    using denied = await program.connect();
    await denied.line();
    await denied.ok("USER u0");
    assert((await denied.command("PASS x")).startsWith("-ERR [IN-USE] "));
  }
  await second.leave();
  using next = await program.connect();
  await next.login("u0", "x");
});

Deno.test("of many logins of one user at once, over all workers, one is granted", async () => {
  await using folder = await temporaryFolder();
  const users = await manyUsers(folder.path, 1);
  await using program = await startProgram({
    maildir: join(folder.path),
    users,
    flags: ["--workers", "4"],
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => program.connect()));
  try {
    const answers = await Promise.all(clients.map(async (client) => {
      await client.line();
      await client.ok("USER u0");
      return await client.command("PASS x");
    }));
    assertEquals(answers.filter((answer) => answer.startsWith("+OK ")).length, 1);
    assertEquals(answers.filter((answer) => answer.startsWith("-ERR [IN-USE] ")).length, 19);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});
