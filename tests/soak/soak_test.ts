// The soak as a test: `deno task soak -- --minutes N --workers W --seed S`.
import { assert, assertEquals } from "@std/assert";
import { Chance } from "../support/chance.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { soak, type SoakOptions, type SoakOutcome } from "./soak.ts";

const MINUTE = 60_000;
const { minutes, workers, seed } = readArguments(Deno.args);
const chance = new Chance(seed);

Deno.test(`${minutes} minutes of real behaviour: every message is fetched and deleted, or still there`, async () => {
  const { sessions } = await balanced({ until: { milliseconds: minutes / 2 * MINUTE } });
  assert(sessions > 10, `${sessions} sessions`);
});

Deno.test(`${minutes} minutes of it while the server is killed again and again`, async () => {
  const { kills } = await balanced({
    until: { milliseconds: minutes / 2 * MINUTE },
    life: () => 300 + chance.next() * 2000,
  });
  assert(kills > 0);
});

/** Soaks, tells how it went, and fails with all that went wrong. */
async function balanced(options: Pick<SoakOptions, "until" | "life">): Promise<SoakOutcome> {
  await using folder = await temporaryFolder();
  const outcome = await soak({ folder, workers, random: () => chance.next(), ...options });
  const { cutOff, inUse, kills, ledger, restores, sessions } = outcome;
  // deno-lint-ignore no-console -- figures for people who run a long one
  console.log(
    `${ledger.size} messages delivered, ${ledger.count("deleted")} deleted, ` +
      `${ledger.count("doubtful")} in doubt, ${ledger.count("kept")} kept; ${sessions} sessions, ` +
      `${inUse} in use, ${cutOff} cut off, ${kills} kills, ${restores} restores; seed ${seed}`,
  );
  assertEquals(ledger.faults, []);
  return outcome;
}

function readArguments(
  args: readonly string[],
): { minutes: number; workers: number; seed: number } {
  const value = (name: string): number | undefined => {
    const at = args.indexOf(`--${name}`);
    if (at < 0) return undefined;
    const number = Number(args[at + 1]);
    if (!(number > 0)) throw new RangeError(`--${name} ${args[at + 1]}: expected a number above 0`);
    return number;
  };
  return {
    minutes: value("minutes") ?? 0.1,
    workers: value("workers") ?? 2,
    seed: value("seed") ?? Math.ceil(Math.random() * 2 ** 32),
  };
}
