// Memory stays flat over many sessions of all kinds: 1 000 in the normal run, 200 000 with POSTERN_TEST_HEAVY=1.
import { assert } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { memoryOf } from "../support/memory.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

const HEAVY = Deno.env.get("POSTERN_TEST_HEAVY") === "1";
const SESSIONS = HEAVY ? 200_000 : 1000;
/**
 * Sessions of which the memory in between is one figure: the least that was seen, since garbage that waits to be collected is no growth. The first
 * quarter of the windows is not held against: heaps of several threads grow to their size.
 */
const WINDOW = SESSIONS / 20;
/** By how much a window may differ from the mean: few sessions tell little, since the runtime collects garbage when it likes. */
const TOLERANCE = HEAVY ? 0.05 : 0.25;
const CLIENTS = 8;
const USERS = 16;

/** What one session says, all at once; `RST` ends it without a word. */
const SCRIPTS: readonly ((user: string) => string)[] = [
  (user) => `USER ${user}\r\nPASS secret\r\nSTAT\r\nQUIT\r\n`,
  (user) => `CAPA\r\nUSER ${user}\r\nPASS secret\r\nUIDL\r\nLIST\r\nRETR 1\r\nTOP 2 3\r\nQUIT\r\n`,
  (user) => `USER ${user}\r\nPASS secret\r\nDELE 1\r\nRSET\r\nRETR 3\r\nQUIT\r\n`,
  (user) => `USER ${user}\r\nPASS wrong\r\nQUIT\r\n`,
  () => `USER nobody\r\nPASS wrong\r\nNOOP\r\nQUIT\r\n`,
  () => `AUTH PLAIN\r\n*\r\nBOGUS\r\nUSER ${"x".repeat(300)}\r\nQUIT\r\n`,
  (user) => `USER ${user}\r\nPASS secret\r\nRETR 2\r\n`,
];

async function session(port: number, number: number): Promise<void> {
  const script = SCRIPTS[number % SCRIPTS.length]!(`user${number % USERS}`);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  const buffer = new Uint8Array(65_536);
  await conn.write(new TextEncoder().encode(script));
  if (!script.endsWith("QUIT\r\n")) return void await conn.read(buffer); // It leaves in the middle.
  while (await conn.read(buffer).catch(() => null) !== null);
}

/** Lets sessions come; gives the memory of each window, in MiB. */
async function soak(program: RunningProgram): Promise<number[]> {
  const windows: number[] = [];
  const port = program.port();
  let begun = 0;
  let samples: number[] = [];
  const client = async (): Promise<void> => {
    while (begun < SESSIONS) {
      const number = begun++;
      await session(port, number);
      if (number % Math.max(10, WINDOW / 50) === 0) samples.push((await memoryOf(program.pid)).now);
      if ((number + 1) % WINDOW === 0) {
        windows.push(Math.min(...samples));
        samples = [];
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return windows;
}

Deno.test(`memory over ${SESSIONS} sessions stays where the first quarter has brought it`, async () => {
  await using folder = await temporaryFolder();
  const users: Record<string, string> = {};
  for (let number = 0; number < USERS; number++) {
    users[`user${number}`] = "secret";
    const messages = [400, 4000, 40_000].map((size) => messageOfSize(size));
    await makeMailbox(join(folder.path, "mail", `user${number}`), "maildir", messages);
  }
  await Deno.mkdir(join(folder.path, "state"));
  await using program = await startProgram({
    maildir: join(folder.path, "mail"),
    users,
    // In memory the access log would grow until it has as many records as it keeps.
    state: join(folder.path, "state", "postern.db"),
    flags: ["--workers", "2", "--auth-delay", "0", "--ban-failures", "0", "--no-flag-updates"],
  });
  const windows = await soak(program);
  const told = `MiB by ${WINDOW} sessions: ${windows.map((each) => each.toFixed(1)).join(" ")}`;
  // deno-lint-ignore no-console -- figures for people who run the long one
  if (HEAVY) console.log(told);
  const settled = windows.slice(windows.length / 4);
  const mean = settled.reduce((sum, each) => sum + each, 0) / settled.length;
  for (const each of settled) assert(Math.abs(each - mean) <= mean * TOLERANCE, told);
});
