// Runs transformers ten thousand times, one in ten failing in one of every way, and looks at what is left.
// `deno run -P=server bench/transformer_soak.ts [runs]`

import { LocalProcessGroups } from "../lib/transform/local_process_groups.ts";
import { ProgramTransformer } from "../lib/transform/program_transformer.ts";
import { splitWords } from "../lib/transform/split_words.ts";
import { TransformerError } from "../lib/transform/transformer.ts";
import { Turnstile } from "../lib/transform/turnstile.ts";
import { FakeMessage, patternAt } from "../tests/transform/messages.ts";
import { descriptors, eventually, leftOf } from "../tests/transform/processes.ts";

/** Ways to fail, and what each is told as; undefined where it is the reader who leaves. */
const WAYS: readonly (readonly [string, string | undefined])[] = [
  ["/no/such/program", "not-found"],
  ["/usr/bin/false", "exit-status"],
  ["/usr/bin/true", "no-output"],
  ["/usr/bin/sleep 60", "timeout"],
  ["/bin/sh -c 'head -c 9; exit 1'", "exit-status"],
  ["/bin/sh -c 'head -c 9; sleep 60'", "timeout"],
  ["/bin/sh -c 'sleep 60 & exit 1'", "exit-status"],
  ["/bin/sh -c 'yes >&2'", "timeout"],
  ["/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'", "timeout"],
  ["/bin/sh -c 'cat; kill -KILL $$'", "exit-status"],
  ["/usr/bin/yes", undefined],
];

const runs = Number(Deno.args[0] ?? 10_000);
const turns = new Turnstile(8);
const groups = new LocalProcessGroups({ grace: 100 });
const counts = new Map<string, number>();
const living = new Set<number>();
let pids: number[] = [];
let most = 0;

/** @param timeout short where it is to be reached, long where a busy machine must not reach it */
function transformerFor(commandLine: string, timeout: number): ProgramTransformer {
  return new ProgramTransformer({
    command: splitWords(commandLine),
    path: "/usr/bin:/bin",
    turns,
    groups,
    observe(event): void {
      if (event.type === "transformer-started") {
        pids.push(event.pid);
        living.add(event.pid);
        most = Math.max(most, living.size);
      } else if (event.type === "transformer-ended" && event.pid !== undefined) {
        living.delete(event.pid);
      }
    },
    timeout: () => timeout,
    onFailure: "reject",
    grace: 100,
  });
}

const cat = transformerFor("/bin/cat", 30_000);
const failing = WAYS.map(([commandLine, told]) =>
  [transformerFor(commandLine, told === "timeout" ? 500 : 30_000), told] as const
);
const context = { user: "ada", uid: "1", client: "127.0.0.1", session: "s" };
const client = new AbortController();

/** One run; `readOctets` is where the reader leaves. Returns how many octets came. */
async function run(
  transformer: ProgramTransformer,
  message: FakeMessage,
  readOctets = Infinity,
): Promise<number> {
  const body = await transformer.apply(() => Promise.resolve(message), {
    ...context,
    signal: client.signal,
  });
  if (body.kind !== "stream") throw new Error("a stream was expected");
  let octets = 0;
  for await (const chunk of body.readable) {
    octets += chunk.length;
    if (octets >= readOctets) break;
  }
  return octets;
}

async function one(index: number): Promise<void> {
  const message = new FakeMessage(20_000 + index % 1000);
  const [transformer, told] = index % 10 === 9
    ? failing[(index - 9) / 10 % failing.length] ?? [cat, undefined]
    : [cat, undefined];
  let outcome: string | undefined;
  try {
    const octets = await run(transformer, message, transformer === cat ? Infinity : 100_000);
    if (transformer === cat && octets !== message.size) throw new Error(`only ${octets} octets`);
  } catch (error) {
    if (!(error instanceof TransformerError)) throw error;
    outcome = error.reason;
  }
  if (outcome !== told) throw new Error(`run ${index}: ${outcome} instead of ${told}`);
  const name = outcome ?? "well";
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Five hundred users at once, a message of 1 MB each. */
async function crowd(): Promise<void> {
  const start = performance.now();
  const one = async (_: unknown, index: number): Promise<void> => {
    const body = await cat.apply(() => Promise.resolve(new FakeMessage(1_000_000 + index)), {
      ...context,
      signal: client.signal,
    });
    if (body.kind !== "stream") throw new Error("a stream was expected");
    let place = 0;
    for await (const chunk of body.readable) {
      for (const octet of chunk) {
        if (octet !== patternAt(place++)) throw new Error(`octet ${place - 1} is wrong`);
      }
    }
    if (place !== 1_000_000 + index) throw new Error(`only ${place} octets`);
  };
  await Promise.all(Array.from({ length: 500 }, one));
  say(
    `500 at once, 1 MB each: all octets right, ${
      ((performance.now() - start) / 1000).toFixed(1)
    } s`,
  );
}

function say(text: string): void {
  // deno-lint-ignore no-console -- a benchmark's results are for the terminal
  console.log(text);
}

async function report(done: number): Promise<void> {
  await Promise.all([cat, ...failing.map(([transformer]) => transformer)].map((t) => t.settled()));
  const told = pids;
  pids = [];
  await eventually("every process is gone", async () => (await leftOf(told)).length === 0);
  const rss = (Deno.memoryUsage().rss / 1e6).toFixed(0);
  say(`${done} runs: ${await descriptors()} descriptors, ${rss} MB, no process left`);
}

const start = performance.now();
await report(0);
const step = runs / 10;
for (let done = 0; done < runs; done += step) {
  let next = done;
  const lanes = Array.from({ length: 16 }, async () => {
    while (next < done + step) await one(next++);
  });
  await Promise.all(lanes);
  await report(done + step);
}
await crowd();
await report(runs + 500);
say(`${[...counts].map(([name, count]) => `${name} ${count}`).join(", ")}`);
say(`at most ${most} at once; ${((performance.now() - start) / 1000).toFixed(0)} s`);
