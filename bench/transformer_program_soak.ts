// Has the program run transformers ten thousand times, one in ten failing in one of every way, and looks at what is left of them.
// `deno run --allow-all bench/transformer_program_soak.ts [runs]`

import type { Pop3Client } from "../tests/support/pop3_client.ts";
import { messageOfSize } from "../tests/support/mailboxes.ts";
import { eventually } from "../tests/support/waiting.ts";
import { serve } from "../tests/transform/served.ts";
import { childrenOf, memoryOf } from "./support/processes.ts";

/** How RETR is answered: with the message, with an error, or with part of it and the connection's end. */
type Answer = "message" | "error" | "broken off" | "left";

/** Ways to fail, and what the client sees; `left` is where it is the client who goes. */
const WAYS: readonly (readonly [name: string, script: string, seen: Answer])[] = [
  ["status", "exec false", "error"],
  ["nothing", "exec true", "error"],
  ["silent", "exec sleep 60", "error"],
  ["late", "head -c 9; exit 1", "broken off"],
  ["pausing", "head -c 9; exec sleep 60", "broken off"],
  ["child", "sleep 60 & exit 1", "error"],
  ["stderr", "exec yes >&2", "error"],
  ["stubborn", `trap "" TERM; while :; do sleep 1; done`, "error"],
  ["killed", "cat; kill -KILL $$", "broken off"],
  ["endless", "exec yes", "left"],
];
const LANES = 16;

const runs = Number(Deno.args[0] ?? 10_000);
const message = messageOfSize(20_000);
const good = Array.from({ length: LANES }, (_, lane) => `good${lane}`);
const bad = WAYS.flatMap(([way]) => Array.from({ length: LANES }, (_, lane) => `${way}${lane}`));
await using served = await serve({
  scripts: Object.fromEntries(
    WAYS.flatMap(([way, script]) =>
      Array.from({ length: LANES }, (_, lane) => [`${way}${lane}`, script])
    ),
  ),
  mail: Object.fromEntries([...good, ...bad].map((user) => [user, [message]])),
  timeout: 2,
  flags: ["--max-transformers", "8", "--auth-delay", "0"],
});
const { pid } = served.program;
const counts = new Map<Answer, number>();

async function answerTo(client: Pop3Client): Promise<Answer> {
  if ((await client.command("RETR 1")).startsWith("-ERR")) return "error";
  try {
    const octets = await client.multiline();
    if (octets.length !== message.length) throw new Error(`${octets.length} octets came`);
    return "message";
  } catch (error) {
    if (error instanceof Error && error.message.includes("before the terminator")) {
      return "broken off";
    }
    throw error;
  }
}

async function fail(index: number, lane: number): Promise<void> {
  const [way, , expected] = WAYS[index % WAYS.length]!;
  using client = await served.login(`${way}${lane}`);
  let seen: Answer;
  if (expected === "left") {
    await client.ok("RETR 1");
    await client.exactly(100_000);
    seen = "left";
  } else {
    seen = await answerTo(client);
  }
  count(seen, expected, way);
}

function count(seen: Answer, expected: Answer, way: string): void {
  if (seen !== expected) throw new Error(`${way} was answered with ${seen}, not ${expected}`);
  counts.set(seen, (counts.get(seen) ?? 0) + 1);
}

function say(text: string): void {
  // deno-lint-ignore no-console -- a benchmark's results are for the terminal
  console.log(text);
}

async function report(done: number): Promise<void> {
  await eventually("no child is left", () => childrenOf(pid).length === 0);
  await served.nothingLeft(...WAYS.map(([way]) => `${way}0`));
  const descriptors = [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  say(`${done} runs: ${descriptors} descriptors, ${memoryOf(pid).now.toFixed(0)} MB, no child`);
}

const start = performance.now();
await report(0);
let most = 0;
const watch = setInterval(() => most = Math.max(most, childrenOf(pid).length), 20);
const step = runs / 10;
let failures = 0;
for (let done = 0; done < runs; done += step) {
  let next = done;
  await Promise.all(good.map(async (user, lane) => {
    using client = await served.login(user);
    while (next < done + step) {
      if (next++ % 10 === 9) await fail(failures++, lane);
      else count(await answerTo(client), "message", "cat");
    }
    await client.ok("QUIT");
  }));
  await report(done + step);
}
clearInterval(watch);
say([...counts].map(([name, count]) => `${name} ${count}`).join(", "));
const seconds = (performance.now() - start) / 1000;
say(`at most ${most} children at once; ${seconds.toFixed(0)} s`);
