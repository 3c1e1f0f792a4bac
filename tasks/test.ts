/**
 * `deno task test`: runs the tests of several folders at the same time, each in a process of its own, since many of them look at
 * their process (descriptors, children, memory). Large folders are cut into parts, lest one of them outlasts all others. Arguments
 * are files, folders or flags for `deno test` instead of all folders; `--trace-leaks` alone is for all folders too: a test that
 * leaves something open is then told where it was opened.
 */

import { dirname, join, relative } from "node:path";

const root = dirname(import.meta.dirname!);
/** Tested by tasks of their own. */
const ELSEWHERE: ReadonlySet<string> = new Set(["interop", "soak"]);
/** Most tests wait for programs that they started, so one lane more than there are cores keeps these busy. */
const LANES = navigator.hardwareConcurrency + 1;

/** Weight above which a folder is cut into parts of about this one. */
const MOST_WEIGHT = 80_000;

/** What is run in one process. */
interface Batch {
  readonly name: string;
  /** From the project's root. */
  readonly paths: string[];
  /** A guess at how long they take. */
  weight: number;
}

/** What the runner counted in one process. */
interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

const decoder = new TextDecoder();

function* filesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* filesBelow(path);
    else yield path;
  }
}

function isTest(path: string): boolean {
  return path.endsWith("_test.ts");
}

/** One batch a folder of tests/, or a part of it, the longest first. */
function batches(): Batch[] {
  const found: Batch[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(join(root, "tests"))) {
    if (ELSEWHERE.has(name)) continue;
    const path = join(root, "tests", name);
    const files = isDirectory ? [...filesBelow(path)] : [path];
    const tests = files.filter(isTest);
    // What tests play, such as transcripts, takes its time too.
    const played = files.filter((file) => !isTest(file)).reduce((sum, file) => sum + size(file), 0);
    const batch = parts(`tests/${name}`, tests);
    for (const part of batch) part.weight += played / batch.length;
    found.push(...batch);
  }
  return found.sort((a, b) => b.weight - a.weight);
}

function size(file: string): number {
  return Deno.statSync(file).size;
}

/** Octets of a test; those of one that starts programs count twice, since most of its time is theirs. */
function weightOf(file: string): number {
  const starts = /\b(?:startProgram|startStage|serve|soak)\(/.test(Deno.readTextFileSync(file));
  return size(file) * (starts ? 2 : 1);
}

/** Deals the tests of one folder out to parts of about the same weight. */
function parts(folder: string, files: readonly string[]): Batch[] {
  const weighed = files.map((file) => ({ path: relative(root, file), weight: weightOf(file) }))
    .sort((a, b) => b.weight - a.weight);
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  const count = Math.ceil(total / MOST_WEIGHT);
  const found: Batch[] = Array.from({ length: count }, (_, part) => ({
    name: count === 1 ? folder : `${folder} (${part + 1} of ${count})`,
    paths: [],
    weight: 0,
  }));
  for (const { path, weight } of weighed) {
    const lightest = found.reduce((least, part) => part.weight < least.weight ? part : least);
    lightest.paths.push(path);
    lightest.weight += weight;
  }
  return found.filter(({ paths }) => paths.length > 0);
}

/** Runs one batch, and shows what it printed when a test failed. */
async function run({ name, paths }: Batch, flags: readonly string[]): Promise<Outcome> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    // Types were checked once for all of them.
    args: ["test", "-P=server", "--no-check", "--quiet", ...flags, ...paths],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  const counts = text.match(
    /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?:.*? \| (\d+) ignored)?.*$/m,
  );
  if (success && counts !== null) {
    print(`${name}  ${counts[0]}`);
  } else {
    print(`${text}\n${name}  ${counts?.[0] ?? "FAILED: the runner printed no count"}`);
  }
  const [passed = 0, failed = 0, ignored = 0] = (counts ?? []).slice(1).map((n) => Number(n ?? 0));
  return { passed, failed: success ? failed : Math.max(failed, 1), ignored };
}

function print(text: string): void {
  // deno-lint-ignore no-console -- a task's output
  console.log(text);
}

/** Runs all batches, so many at a time. */
async function runAll(waiting: Batch[], flags: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const lane = async (): Promise<void> => {
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      outcomes.push(await run(batch, flags));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return outcomes;
}

/** Hands over to the runner as it is. */
async function pass(args: readonly string[]): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), { args: ["test", ...args], cwd: root });
  return (await command.spawn().status).code;
}

async function main(given: readonly string[]): Promise<number> {
  const args = given.filter((arg) => arg !== "--");
  const forAll = args.every((arg) => arg === "--trace-leaks");
  if (!forAll) return await pass(["-P=server", ...args]);
  const started = performance.now();
  const types = await pass(["--no-run", "--quiet", "tests"]);
  if (types !== 0) return types;
  const outcomes = await runAll(batches(), args);
  const sum = (key: keyof Outcome): number =>
    outcomes.reduce((total, outcome) => total + outcome[key], 0);
  const [passed, failed, ignored] = [sum("passed"), sum("failed"), sum("ignored")];
  const seconds = Math.round((performance.now() - started) / 1000);
  print(
    `\n${failed === 0 ? "ok" : "FAILED"} | ${passed} passed | ${failed} failed | ` +
      `${ignored} ignored (${seconds}s)`,
  );
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
