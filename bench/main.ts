/** `deno task bench [NAME…] [--json]`: measures the real program from outside, one scenario after the other. */

import { SCENARIOS } from "./scenarios.ts";
import { describe, machine, type Outcome, rounded, table } from "./support/report.ts";
import { type Figure, met, type Scenario } from "./support/scenario.ts";

const USAGE = "Usage: deno task bench [NAME…] [--json] [--list]";

/** Runs scenarios. Returns the exit status: 0 when all ran and all figures are as asked. */
async function bench(args: readonly string[]): Promise<number> {
  const flags = new Set(args.filter((arg) => arg.startsWith("-")));
  const names = args.filter((arg) => !arg.startsWith("-"));
  const unknown = [
    ...names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name)),
    ...[...flags].filter((flag) => flag !== "--json" && flag !== "--list"),
  ];
  if (unknown.length > 0) {
    say(`Unknown: ${unknown.join(", ")}. ${USAGE}\n${list()}`);
    return 2;
  }
  if (flags.has("--list")) {
    print(list());
    return 0;
  }
  const here = await machine();
  say(describe(here));
  const chosen = names.length === 0
    ? SCENARIOS
    : SCENARIOS.filter(({ name }) => names.includes(name));
  const outcomes: Outcome[] = [];
  for (const scenario of chosen) outcomes.push(await measure(scenario));
  if (flags.has("--json")) print(JSON.stringify({ machine: here, outcomes }, null, 2));
  else print(`\n${describe(here)}\n\n${table(outcomes)}`);
  const good = ({ figures, failure }: Outcome): boolean =>
    failure === undefined && figures.every((figure) => met(figure) !== false);
  return outcomes.every(good) ? 0 : 1;
}

async function measure({ name, about, run }: Scenario): Promise<Outcome> {
  say(`\n${name}: ${about}`);
  const figures: Figure[] = [];
  const start = performance.now();
  try {
    await run({
      say: (text) => say(`  … ${text}`),
      figure(what, measured, unit, target): void {
        figures.push({ what, measured, unit, ...(target !== undefined && { target }) });
        say(`  ${what}: ${rounded(measured)} ${unit}`);
      },
    });
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    say(`  FAILED: ${stack}`);
    const failure = message.split("\n", 1)[0]!.slice(0, 100);
    return { scenario: name, figures, failure };
  }
  say(`  (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  return { scenario: name, figures };
}

function list(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  return SCENARIOS.map(({ name, about }) => `${name.padEnd(width)}  ${about}`).join("\n");
}

/** Progress goes to standard error, so that `--json` is alone on standard output. */
function say(text: string): void {
  // deno-lint-ignore no-console -- a benchmark speaks to the terminal
  console.error(text);
}

function print(text: string): void {
  // deno-lint-ignore no-console -- a benchmark speaks to the terminal
  console.log(text);
}

if (import.meta.main) Deno.exit(await bench(Deno.args));
