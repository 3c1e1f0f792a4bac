/**
 * How long a refused login takes for a user who exists and for one who does not: the same, or the clock tells who exists.
 *
 * deno run --allow-all bench/refused_login_timing.ts [--tries 2000]
 */
// deno-lint-ignore-file no-console -- it is a program for a terminal

import { parseArgs } from "@std/cli/parse-args";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { scram } from "../tests/attacks/scram_exchange.ts";
import { temporaryFolder } from "../tests/support/mailboxes.ts";
import { Pop3Client } from "../tests/support/pop3_client.ts";
import { startProgram } from "../tests/support/program.ts";

/** How much the medians may differ. */
const ALLOWED = 0.02;

/** Logs in once, in vain; the greeting has been read. Returns milliseconds. */
type Way = (client: Pop3Client, greeting: string, user: string, turn: number) => Promise<number>;

async function timed(work: () => Promise<string>): Promise<number> {
  const begun = performance.now();
  const answer = await work();
  const time = performance.now() - begun;
  if (!answer.startsWith("-ERR [AUTH] Authentication failed")) throw new Error(answer);
  return time;
}

const WAYS: Readonly<Record<string, Way>> = {
  "USER/PASS": async (client, _, user, turn) => {
    await client.ok(`USER ${user}`);
    return await timed(() => client.command(`PASS wrong ${turn}`));
  },
  "AUTH PLAIN": (client, _, user, turn) => {
    const message = new TextEncoder().encode(`\0${user}\0wrong ${turn}`).toBase64();
    return timed(() => client.command(`AUTH PLAIN ${message}`));
  },
  "AUTH SCRAM-SHA-256": async (client, _, user, turn) => {
    let told = 0;
    // The client's own work lies between the server's two answers, and is not the server's time.
    const watched = {
      command: async (line: string): Promise<string> => {
        const begun = performance.now();
        const answer = await client.command(line);
        told += performance.now() - begun;
        return answer;
      },
    } as Pop3Client;
    const { answer } = await scram(watched, { user, password: "wrong", nonce: `n${turn}` });
    if (!answer.startsWith("-ERR [AUTH]")) throw new Error(answer);
    return told;
  },
  "APOP": (client, greeting, user, turn) => {
    const [timestamp = ""] = /<[^>]+>/.exec(greeting) ?? [];
    const digest = createHash("md5").update(`${timestamp}wrong ${turn}`).digest("hex");
    return timed(() => client.command(`APOP ${user} ${digest}`));
  },
};

/** Users of a kind each: the state file's, and the passwd-file's in clear. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "USER/PASS": ["alice", "carol"],
  "AUTH PLAIN": ["alice", "carol"],
  "AUTH SCRAM-SHA-256": ["alice", "carol"],
  "APOP": ["alice", "carol"],
};

const { tries: given } = parseArgs(Deno.args, { string: ["tries"] });
const tries = given === undefined ? 2000 : Number(given);
await using folder = await temporaryFolder();
const users = join(folder.path, "users");
await Deno.writeTextFile(users, "carol:{PLAIN}tanstaaf\n");
await using program = await startProgram({
  maildir: folder.path,
  users: { alice: "wonderland" },
  flags: [
    ...["--auth-delay", "0", "--apop", "--users", users],
    // Each try comes from an address of its own, so that no ban gets in between.
    ...["--proxy-protocol", "127.0.0.1/32"],
  ],
});
let address = 0;

/** One try, in a session of its own. */
async function attempt(way: Way, user: string, turn: number): Promise<number> {
  using client = await Pop3Client.connect({ port: program.port() });
  address++;
  const told = `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`;
  await client.send(`PROXY TCP4 ${told} 127.0.0.1 1000 110\r\n`);
  return await way(client, await client.line(), user, turn);
}

let worst = 0;
for (const [name, way] of Object.entries(WAYS)) {
  for (const known of KNOWN[name]!) {
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let turn = -50; turn < tries; turn++) {
      // In turns, and the first one in turns, too, so that whatever else the machine does falls on both alike.
      const order = turn % 2 === 0 ? ["known", "unknown"] as const : ["unknown", "known"] as const;
      for (const kind of order) {
        const time = await attempt(way, kind === "known" ? known : "nobody", turn);
        if (turn >= 0) times[kind].push(time);
      }
    }
    const [right = 0, wrong = 0] = [median(times.known), median(times.unknown)];
    const apart = Math.abs(right - wrong) / wrong;
    worst = Math.max(worst, apart);
    console.log(
      `${name}: ${known} ${right.toFixed(3)} ms, unknown ${wrong.toFixed(3)} ms, ` +
        `${(apart * 100).toFixed(2)} % apart (${tries} tries each)`,
    );
  }
}
console.log(worst <= ALLOWED ? "ok" : `more than ${ALLOWED * 100} % apart`);
Deno.exitCode = worst <= ALLOWED ? 0 : 1;

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1]!;
}
