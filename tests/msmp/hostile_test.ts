// What administrators and strangers may send: nothing ends the server, breaks a line, or stays longer than it may.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { authorizationTable, version1Table, version2Table } from "../../lib/msmp/tables.ts";
import { octetsOf } from "../../lib/msmp/text.ts";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { StateStoreError } from "../../lib/contracts/state_store.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";
import { NOON, startManagement } from "../support/in_process.ts";

const context = { secure: false, services: { tlsOffered: true } } as never;
const keywords = [authorizationTable, version1Table, version2Table]
  .flatMap((table) => table.available(context).map(({ name }) => name))
  // These end what the others are to be tried on.
  .filter((name) => !["QUIT", "STLS", "MSMP"].includes(name));

const word = fc.oneof(
  fc.constantFrom("bob", "root", "ADD", "DELE", "LIST", "timeout", "maildir", "0", "9".repeat(30)),
  fc.constantFrom("../x", ".", "cur", "a\\b", "\x1b[31m", "\u202eevil", "\r", "%s", "'; --", "@"),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.nat(300).map((length) => "é".repeat(length)),
);
/** A line that is no `USER`, lest the sentinel be misread, and has no line end inside. */
const commandLine = fc.tuple(
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...keywords) }, word),
  fc.array(word, { maxLength: 4 }),
  fc.constantFrom(" ", "  "),
).map(([keyword, words, blank]) => [keyword, ...words].join(blank).replaceAll("\n", ""));

/** Sends a line, and everything that is answered up to the answer of one that has one line. */
async function answered(client: Pop3Client, line: string): Promise<string[]> {
  await client.send(`${line}\r\nGET oauth_user_claim\r\n`);
  const lines: string[] = [];
  for (;;) {
    const next = await client.line();
    if (next === "+OK email") return lines;
    lines.push(next);
  }
}

for (const version of [1, 2] as const) {
  Deno.test(`version ${version} answers anything with lines that hold no control character, within its bounds`, async () => {
    await using server = await startManagement({
      users: { bob: "builder" },
      flags: ["--max-bad-commands", "1000000"],
    });
    using client = await server.login(version);
    await fc.assert(
      fc.asyncProperty(commandLine, async (line) => {
        // These go on until the next line.
        if (/^(watch|trace) /i.test(line)) return;
        const lines = await answered(client, line);
        const total = lines.reduce((sum, text) => sum + octetsOf(text) + 2, 0);
        assert(lines.length > 0 || /^\s*$/.test(line));
        assert(/^(\+OK|-ERR)/.test(lines[0] ?? "+OK"), `${JSON.stringify(line)}: ${lines[0]}`);
        assert(!lines.some((text) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)), lines.join("|"));
        if (version === 1) assert(total <= 512, `${total} octets to ${line}`);
        else assert(lines.every((text) => octetsOf(text) <= 510));
      }),
      { numRuns: 400 },
    );
    for (const { action, object, before, after } of server.audit) {
      assert(action !== "" && `${object}${before}${after}` !== "builder");
    }
  });
}

Deno.test("octets at random, in every phase, end in answers or in the end of the connection", async () => {
  await using server = await startManagement();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(0, 1, 2),
      fc.uint8Array({ maxLength: 600 }),
      async (phase, octets) => {
        using client = phase === 0 ? await server.connect() : await server.login(phase as 1 | 2);
        await client.send(octets);
        await client.leave();
      },
    ),
    { numRuns: 100 },
  );
  using client = await server.login(1);
  assertEquals(await client.command("GET timeout"), "+OK 600");
});

Deno.test("a browser that was made to send HTTP gets no further than its headers", async () => {
  await using server = await startManagement();
  using client = await server.connect();
  await client.send(
    "POST / HTTP/1.1\r\nHost: 127.0.0.1:4321\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\nI: j\r\n\r\n" +
      "USER root\r\nPASS secret\r\nDELE bob\r\n",
  );
  await client.line();
  for (let line = 0; line < 8; line++) assert((await client.line()).startsWith("-ERR"));
  await client.ended();
  assertEquals(server.audit, []);
});

Deno.test("what comes in clear behind STLS is forgotten, and so is what came before it", async () => {
  await using server = await startManagement();
  const upgrade = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };
  using client = await server.connect("client", { upgrade });
  await client.line();
  await client.send("USER root\r\nSTLS\r\nPASS secret\r\nADMIN ADD eve x\r\n");
  assertEquals(await client.line(), "+OK");
  assertEquals(await client.line(), "+OK Begin TLS");
  assertEquals(await client.command("PASS secret"), "-ERR Invalid credentials");
  assertEquals(await client.command("STLS"), "-ERR Unknown command");
  await client.ok("USER root");
  assertEquals(await client.command("PASS secret"), "+OK Logged in");
  assert((await client.command("STLS")).startsWith("-ERR"));
});

Deno.test("the fourth wrong password ends the connection, TLS or not", async () => {
  await using server = await startManagement();
  const upgrade = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };
  using client = await server.connect("client", { upgrade });
  await client.line();
  for (let tries = 1; tries <= 3; tries++) {
    assertEquals(await client.command(`PASS ${tries}`), "-ERR Invalid credentials");
  }
  assertEquals(await client.command("STLS"), "+OK Begin TLS");
  assertEquals(await client.command("PASS 4"), "-ERR Invalid credentials");
  await client.ended();
});

Deno.test("version 1 looks at a key before its value", async () => {
  await using server = await startManagement();
  using root = await server.login(1);
  for (const value of ["1", "two words", "x".repeat(101)]) {
    assertEquals(await root.command(`SET nonsense ${value}`), "-ERR Invalid key");
    const answer = value === "1" ? "+OK Changed value" : "-ERR Invalid value";
    assertEquals(await root.command(`SET max_users ${value}`), answer);
  }
});

Deno.test("LOGS finds users whose names hold blanks and numbers", async () => {
  await using server = await startManagement({
    users: { "ann lee": "x", "room 101": "x", ann: "x" },
  });
  using root = await server.login(2);
  for (const line of ["ann lee", "ann lee 3", "room 101", "room 101 5", "ann", "ann 3"]) {
    await root.ok(`LOGS ${line}`);
    assertEquals(await root.list(), []);
  }
  assertEquals(await root.command("LOGS room 102"), "-ERR Invalid user");
  assertEquals(
    await root.command("LOGS ann x"),
    "-ERR Invalid number of records: expected a whole number from 1 to 10000",
  );
});

Deno.test("an administrator gets no password that PASS could not say", async () => {
  await using server = await startManagement();
  using root = await server.login(2);
  assertEquals(
    await root.command(`ADMIN ADD second ${"x".repeat(249)}`),
    "-ERR Unsafe password: it is longer than the 248 octets that PASS can say",
  );
  const longest = "é".repeat(124);
  assertEquals(await root.command(`ADMIN ADD second ${longest}`), "+OK Added administrator");
  using second = await server.connect();
  await second.line();
  await second.ok("USER second");
  assertEquals(await second.command(`PASS ${longest}`), "+OK Logged in");
});

Deno.test("a mailbox that cannot be made is told, and the user is added all the same", async () => {
  await using server = await startManagement();
  server.store.create = () => Promise.reject(new Error("The disk is full"));
  using root = await server.login(2);
  assertEquals(
    await root.command("ADD bob builder"),
    "+OK Added user; the mailbox cannot be created: The disk is full",
  );
  assertEquals(await root.command("ADD bob builder"), "+OK Updated password");
  using classic = await server.login(1);
  assertEquals(await classic.command("ADD ann builder"), "+OK Added user");
});

Deno.test("a password in clear is taken from loopback and from the networks that are named", async () => {
  const flags = ["--cleartext-networks", "192.0.2.0/24"];
  await using server = await startManagement({ flags, tls: true });
  for (
    const [address, answer] of [
      ["192.0.2.7", "+OK Logged in"],
      ["127.0.0.1", "+OK Logged in"],
      ["::1", "+OK Logged in"],
      ["198.51.100.9", "-ERR TLS required"],
      ["2001:db8::7", "-ERR TLS required"],
    ] as const
  ) {
    using client = await server.connect(address, { peer: { address, port: 1 } });
    await client.line();
    await client.ok("USER root");
    assertEquals(await client.command("PASS secret"), answer, address);
    await client.leave();
  }
});

Deno.test("who does not log in, and who is idle, is let go", async () => {
  await using server = await startManagement({
    flags: ["--login-timeout", "1", "--admin-timeout", "1"],
  });
  using stranger = await server.connect();
  await stranger.line();
  using idle = await server.login(2);
  await Promise.all([stranger.ended(), idle.ended()]);
});

Deno.test("a banned address hears so at the greeting, and on connections that it has", async () => {
  await using server = await startManagement();
  const peer = { address: "198.51.100.9", port: 50_000 };
  using open = await server.connect("open", { peer });
  await open.line();
  for (let connection = 0; connection < 5; connection++) {
    using client = await server.connect("guesser", { peer });
    await client.line();
    for (let tries = 0; tries < 4; tries++) await client.command(`PASS ${connection}${tries}`);
    await client.leave();
  }
  using late = await server.connect("late", { peer });
  assert((await late.line()).startsWith("-ERR Too many failed logins"));
  await open.ok("USER root");
  assertEquals(await open.command("PASS secret"), "-ERR Invalid credentials");
  using other = await server.login(2);
  await other.ok("BANS");
  assertStringIncludes((await other.list())[0]!, "198.51.100.9 address ");
  assertEquals(await other.command("UNBAN 198.51.100.9"), "+OK Unbanned");
  using again = await server.connect("again", { peer });
  assertEquals(await again.login("root", "secret"), "+OK Logged in");
});

Deno.test("an administrator whose name is guessed at from everywhere gets in from where they were before", async () => {
  await using server = await startManagement({ users: { root: "another" } });
  using client = await server.login(2);
  await client.ok("BANS");
  assertEquals(await client.list(), []);
  for (let address = 0; address < 120; address++) {
    using guesser = await server.connect("guesser", {
      peer: { address: `198.51.100.${address}`, port: 1 },
    });
    await guesser.line();
    await guesser.ok("USER root");
    await guesser.command(`PASS guess ${address}`);
    await guesser.leave();
  }
  await client.ok("BANS");
  const bans = await client.list();
  assertEquals(bans.map((ban) => ban.split(" ")[0]), ["admin/root"]);
  // The administrator has been at this address before.
  using again = await server.login(1);
  await again.ok("QUIT");
});

Deno.test("every change leaves its line, with nothing secret in it", async () => {
  await using server = await startManagement({ users: { bob: "builder" } });
  using client = await server.login(2);
  const password = (await client.ok("KEY ADD bob telephone")).slice(4);
  for (
    const line of [
      "ADD carol hush",
      "ADD carol hush-hush",
      "DELE carol",
      "SET timeout 700",
      "KEY DELE bob telephone",
      "ADMIN ADD second hush",
      "ADMIN DELE second",
      "RELOAD",
      "SHUTDOWN",
    ]
  ) await client.ok(line);
  assertEquals(server.asked, ["reload", "shutdown"]);
  const told = server.audit.map(({ administrator, address, action, object, before, after }) =>
    [administrator, address, action, object, before, after].join("|")
  );
  const who = "root|192.0.2.7";
  assertEquals(told, [
    `${who}|KEY ADD|bob telephone||hidden`,
    `${who}|ADD|carol||added, password hidden`,
    `${who}|ADD|carol||updated, password hidden`,
    `${who}|DELE|carol|a user|deleted`,
    `${who}|SET|timeout|600|700`,
    `${who}|KEY DELE|bob telephone|an app password|deleted`,
    `${who}|ADMIN ADD|second||added, password hidden`,
    `${who}|ADMIN DELE|second|an administrator|deleted`,
    `${who}|RELOAD|||timeout: 600 → 700`,
    `${who}|SHUTDOWN|||`,
  ]);
  assert(!told.some((line) => line.includes("hush") || line.includes(password)));
});

Deno.test("a state that cannot be written is told in a sentence, and nothing is noted as done", async () => {
  const state = new MemoryState();
  await using server = await startManagement({ state });
  using client = await server.login(1);
  const full = (): Promise<never> =>
    Promise.reject(new StateStoreError("full", "The disk is full. Nothing was changed"));
  state.users.put = full;
  state.settings.set = full;
  assertEquals(await client.command("ADD bob x"), "-ERR The disk is full. Nothing was changed");
  assertEquals(
    await client.command("SET timeout 700"),
    "-ERR The disk is full. Nothing was changed",
  );
  assertEquals(await client.command("GET timeout"), "+OK 600");
  assertEquals(server.audit, []);
});

Deno.test("WATCH pushes again and again, and ends when its client is gone", async () => {
  const pauses: { milliseconds: number; go: () => void }[] = [];
  await using server = await startManagement({
    pause: (milliseconds, signal) =>
      new Promise((resolve) => {
        pauses.push({ milliseconds, go: resolve });
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  });
  using client = await server.login(2);
  await client.ok("WATCH 7");
  for (let snapshot = 0; snapshot < 3; snapshot++) {
    assertEquals(await client.line(), "time: 2026-01-31T12:00:00Z");
    while (await client.line() !== "") { /* the figures */ }
    await eventually("the pause", () => pauses.length === snapshot + 1);
    assertEquals(pauses[snapshot]!.milliseconds, 7000);
    if (snapshot < 2) pauses[snapshot]!.go();
  }
  client[Symbol.dispose]();
  await eventually("the end of the connection", () => server.host.connections === 0);
});

Deno.test("an administrator who is deleted loses this connection, too", async () => {
  await using server = await startManagement({ administrators: { root: "secret", other: "pass" } });
  using client = await server.login(2);
  assertEquals(await client.command("ADMIN DELE root"), "+OK Deleted administrator");
  await client.ended();
});

Deno.test("100 000 users are listed one after the other, and the list of version 1 says how many there are", async () => {
  const state = new MemoryState();
  const keys = { storedKey: new Uint8Array(32), serverKey: new Uint8Array(32) };
  await state.users.putAll(Array.from({ length: 100_000 }, (_, index) => ({
    name: `user${String(index).padStart(6, "0")}`,
    origin: "import",
    at: NOON,
    salt: new Uint8Array(16),
    iterations: 4096,
    password: { kind: "keys", keys },
  })));
  await using server = await startManagement({ state });
  using client = await server.login(1);
  await client.ok("LIST");
  const lines = [await client.line()];
  while (!lines.at(-1)!.startsWith("...")) lines.push(await client.line());
  assertEquals(lines.length - 1 + Number(lines.at(-1)!.split(" ")[1]), 100_000);
  await client.ok("MSMP 2");
  await client.ok("LIST");
  assertEquals((await client.list()).length, 100_000);
});

Deno.test("TRACE tells a long name in a line that is not too long", async () => {
  await using server = await startManagement();
  using client = await server.login(2);
  await client.send(`TRACE ${"é".repeat(240)}\r\n`);
  for (let line = 0; line < 2; line++) assert(octetsOf(await client.line()) <= 510);
});
