// Plays the transcripts of docs/msmp.md against the server, and holds its grammar against the tables of commands.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { authorizationTable, version1Table, version2Table } from "../../lib/msmp/tables.ts";
import { helpLine, PROTOCOL } from "../../lib/msmp/protocol.ts";
import { projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { NOON, startManagement, type TestManagement } from "../support/in_process.ts";

const page = Deno.readTextFileSync(join(projectRoot, "docs/msmp.md"));

interface Example {
  readonly heading: string;
  readonly kind: string;
  readonly lines: readonly string[];
}

function examples(): Example[] {
  const found: Example[] = [];
  const blocks = page.matchAll(/^### (.*)$|^```(msmp\S*)\n([\s\S]*?)^```$/gm);
  let heading = "";
  for (const [, title, kind, body] of blocks) {
    if (title !== undefined) heading = title;
    else if (kind !== undefined) {
      found.push({ heading, kind, lines: body!.trimEnd().split("\n") });
    }
  }
  return found;
}

/** What happened before each example: two accesses of alice, the second of which goes on. */
async function fill({ state, observe, locks, store }: TestManagement): Promise<void> {
  const start = { user: "alice", address: "192.0.2.7" };
  const record = { ...start, session: "1-1", at: NOON, tls: "TLSv1.3", mechanism: "PLAIN" };
  state.accesses.opened(record);
  const end = { ended: NOON, messages: 3, octets: 4096, deleted: 1, ending: "quit" };
  state.accesses.completed("1-1", end);
  const session = "1-2";
  observe({
    type: "connected",
    session,
    at: NOON,
    address: "192.0.2.7",
    port: 110,
    tls: undefined,
  });
  const login = { user: "alice", mechanism: "USER", messages: 0, octets: 0, milliseconds: 1 };
  observe({ type: "login", session, at: NOON, ...login });
  observe({ type: "command", session, name: "PASS", outcome: "ok", milliseconds: 1 });
  observe({ type: "command", session, name: "STAT", outcome: "ok", milliseconds: 1 });
  observe({ type: "sent", session, octets: 128 });
  await locks.take("alice", session, { sessions: 1 });
  await store.create("alice");
}

/** Twenty failed logins from one address. */
async function ban(server: TestManagement): Promise<void> {
  for (let connection = 0; connection < 5; connection++) {
    using client = await server.connect("guesser", {
      peer: { address: "198.51.100.9", port: 50_000 },
    });
    await client.line();
    for (let tries = 0; tries < 4; tries++) await client.command(`PASS ${connection} ${tries}`);
    await client.leave();
  }
}

/** Times and app passwords differ from run to run. */
function steady(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?Z?/g, "(time)")
    .replace(/([a-z2-7]{4}-){5}[a-z2-7]{4}/g, "(app password)");
}

async function play(client: Pop3Client, { kind, lines }: Example): Promise<void> {
  for (const line of lines) {
    const text = line.slice(3);
    if (line.startsWith("C:")) await client.send(`${text}\r\n`);
    else if (kind.endsWith("-part")) await readUpTo(client, steady(text));
    else assertEquals(steady(await client.line()), steady(text));
  }
}

/** Where the page shows parts of a list, the other lines are passed over. */
async function readUpTo(client: Pop3Client, wanted: string): Promise<void> {
  const passed: string[] = [];
  for (;;) {
    const line = steady(await client.line());
    if (line === wanted) return;
    passed.push(line);
    if (line === ".") throw new Error(`There is no ${wanted} among ${passed.join("\n")}`);
  }
}

for (const example of examples()) {
  const { heading, kind } = example;
  Deno.test(`docs/msmp.md, ${heading} (${kind})`, async () => {
    await using folder = await temporaryFolder();
    await using server = await startManagement({
      users: { alice: "in wonderland", bob: "builder" },
      maildir: folder.path,
      flags: kind === "msmp-tls" ? ["--require-tls"] : [],
    });
    await fill(server);
    if (kind === "msmp2-banned") await ban(server);
    const version = /^msmp([12])/.exec(kind)?.[1];
    using client = version === undefined
      ? await server.connect("client", {
        upgrade: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" },
      })
      : await server.login(Number(version) as 1 | 2);
    await play(client, example);
    await client.leave();
  });
}

Deno.test("docs/msmp.md shows every command of the tables, and its grammar names them all", () => {
  const context = { secure: false, services: { tlsOffered: true } } as never;
  const tables = [authorizationTable, version1Table, version2Table];
  const names = new Set(
    tables.flatMap((table) => table.available(context).map(({ name }) => name)),
  );
  const shown = new Set(
    examples().flatMap(({ lines }) => lines.flatMap((line) => /^C: (\w+)/.exec(line)?.[1] ?? [])),
  );
  const grammar = /```abnf\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  assertEquals([...names].filter((name) => !shown.has(name)), []);
  assertEquals([...names].filter((name) => !grammar.includes(`"${name}"`)), []);
});

Deno.test("the table of the protocol and the tables of handlers name the same commands", () => {
  const keywords = (rows: readonly { readonly name: string }[]): string[] =>
    [...new Set(rows.map(({ name }) => name.split(" ")[0]!))].sort();
  const after = PROTOCOL.filter(({ beforeLogin }) => !beforeLogin);
  const context = { secure: false, services: { tlsOffered: true } } as never;
  assertEquals(
    keywords(authorizationTable.available(context)),
    keywords([...PROTOCOL.filter(({ beforeLogin }) => beforeLogin), { name: "QUIT" }]),
  );
  // MSMP is how version 1 gets to version 2.
  assertEquals(
    keywords(version1Table.available(context)),
    keywords(after.filter(({ name, since }) => since === 1 || name === "MSMP")),
  );
  assertEquals(keywords(version2Table.available(context)), keywords(after));
});

Deno.test("docs/msmp.md lists the table of the protocol", () => {
  const rows = PROTOCOL.map((row) => `${row.since}        ${helpLine(row)}`);
  assertEquals(page.includes(["version  command", ...rows].join("\n")), true);
});
