/** The fuzzer: says right, nearly right and wrong things in every phase, in clear and under TLS, for as long as it is asked to. */
// deno-lint-ignore-file no-console -- it is a program for a terminal

import { parseArgs } from "@std/cli/parse-args";
import { Chance } from "../support/chance.ts";
import { FUZZ_USERS } from "./grammar.ts";
import { FuzzSession, type Kind, KINDS } from "./session.ts";
import { Victim } from "./victim.ts";

/** What is told of one kind of session. */
interface Score {
  readonly kind: Kind;
  sessions: number;
  failure: string | undefined;
}

const { seconds, seed } = readFlags(Deno.args);
console.log(`seed ${seed} (the same sessions again: deno task fuzz -- --seed ${seed})`);
const begun = performance.now();
const scores: Score[] = KINDS.map((kind) => ({ kind, sessions: 0, failure: undefined }));
let sound: string | undefined;
{
  await using victim = await Victim.start();
  let watching = true;
  const watch = (async () => {
    while (watching && sound === undefined) {
      await victim.requireSound().catch((error) => sound = String(error));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  const end = begun + seconds * 1000;
  // A user's maildrop serves one session at a time, so there is one player a user.
  await Promise.all(FUZZ_USERS.map(async (_, user) => {
    for (
      let turn = user;
      performance.now() < end && sound === undefined;
      turn += FUZZ_USERS.length
    ) {
      await play(victim, turn, user);
    }
  }));
  watching = false;
  await watch;
  sound ??= await victim.requireSound().then(() => undefined, String);
}
report();

async function play(victim: Victim, turn: number, user: number): Promise<void> {
  const score = scores[Math.floor(turn / FUZZ_USERS.length) % scores.length]!;
  const chance = new Chance(seed).fork(turn);
  if (turn % 3 === 0) await victim.refill(user);
  try {
    await FuzzSession.play(victim.target, score.kind, chance, user);
  } catch (error) {
    score.failure ??= `session ${turn}: ${error instanceof Error ? error.message : error}`;
  }
  score.sessions++;
}

/** In the form of `deno test`, so that the same eye, and .ci/run, can read it. */
function report(): void {
  const name = ({ phase, transport }: Kind): string => `${phase} over ${transport}`;
  for (const { kind, sessions, failure } of scores) {
    console.log(
      `${name(kind)}: ${sessions} sessions ... ${failure === undefined ? "ok" : "FAILED"}`,
    );
    if (failure !== undefined) console.log(failure);
  }
  console.log(`the program beside them ... ${sound === undefined ? "ok" : `FAILED\n${sound}`}`);
  const failed = scores.filter(({ failure }) => failure !== undefined).length +
    (sound === undefined ? 0 : 1);
  const passed = scores.length + 1 - failed;
  const time = Math.round((performance.now() - begun) / 1000);
  console.log(
    `\n${failed === 0 ? "ok" : "FAILED"} | ${passed} passed | ${failed} failed (${time}s)`,
  );
  Deno.exit(failed === 0 ? 0 : 1);
}

function readFlags(args: readonly string[]): { seconds: number; seed: number } {
  const flags = parseArgs(args.filter((arg) => arg !== "--"), {
    string: ["seconds", "seed"],
    unknown: (arg: string) => {
      console.error(`fuzz: ${arg} is unknown; expected --seconds N and --seed N`);
      Deno.exit(2);
    },
  });
  const number = (text: unknown, otherwise: number): number => {
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    console.error(`fuzz: ${text} is no whole number`);
    Deno.exit(2);
  };
  const fresh = crypto.getRandomValues(new Uint32Array(1))[0]!;
  return { seconds: number(flags.seconds, 60), seed: number(flags.seed, fresh) };
}
