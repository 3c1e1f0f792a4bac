/** `deno task compile`: makes one binary of the program, with the permissions of the set "server" in deno.json. */

import { dirname, join, resolve } from "node:path";
import { engineFlags } from "./run_arguments.ts";

/** Modules that are started as workers: no import leads to them, so they are named here. */
export const WORKERS = [
  "lib/workers/thread/session_worker.ts",
  "lib/workers/transformer/transformer_thread.ts",
  "lib/workers/mail/mail_worker.ts",
  "lib/workers/lmtp/lmtp_thread.ts",
  "lib/auth/foreign_hashes/foreign_hash_worker.ts",
  "lib/state/backup_worker.ts",
] as const;

/** The permission set of deno.json that the program is given, by this task as by all others. */
export const PERMISSION_SET = "server";

const root = dirname(import.meta.dirname!);

/**
 * The arguments for `deno` that make the binary.
 *
 * @param output where it is written
 * @param more flags for `deno compile`, as `--target`
 */
export function compileArguments(output: string, more: readonly string[] = []): string[] {
  return [
    "compile",
    `--permission-set=${PERMISSION_SET}`,
    // On a terminal it would otherwise ask for what it was not given, and stop until someone answers.
    "--no-prompt",
    engineFlags(),
    // Else every package of the lock file comes along, the tests' among them.
    "--exclude-unused-npm",
    ...WORKERS.flatMap((path) => ["--include", join(root, path)]),
    `--config=${join(root, "deno.json")}`,
    `--output=${output}`,
    ...more,
    join(root, "main.ts"),
  ];
}

/** Splits the task's own arguments: `-o FILE` (or `--output`), and what `deno compile` is to be told besides. */
export function readArguments(args: readonly string[]): { output: string; more: string[] } {
  let output = "postern";
  const more: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "-o" || arg === "--output") output = args[++at] ?? output;
    else if (arg.startsWith("--output=")) output = arg.slice("--output=".length);
    else more.push(arg);
  }
  return { output: resolve(output), more };
}

/**
 * Why there is no binary, in one sentence where the base program is missing; all that Deno said otherwise.
 *
 * @param said what `deno compile` wrote to standard error
 * @param base the value of DENORT_BIN
 */
export function explain(said: string, base: string | undefined): string {
  if (base !== undefined && /Could not find denort|Writing binary bytes/.test(said)) {
    return `DENORT_BIN names ${base}, which is no base program: name the file denort of Deno ${Deno.version.deno} for this system.`;
  }
  if (said.includes("Setting up base binary")) {
    return `The base program of Deno ${Deno.version.deno} (denort) could not be fetched: let this machine reach dl.deno.land, ` +
      "or name a copy of it in the environment variable DENORT_BIN.";
  }
  return said.replace(/\n*Stack backtrace:[^]*$/, "").trim();
}

/** Makes the binary and tries it. Returns the exit status. */
async function compile(args: readonly string[]): Promise<number> {
  const { output, more } = readArguments(args);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: compileArguments(output, more),
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  const base = Deno.env.get("DENORT_BIN");
  if (!success) return say(explain(new TextDecoder().decode(stderr), base), 1);
  const size = `${(Deno.statSync(output).size / 1e6).toFixed(0)} MB`;
  if (more.some((flag) => flag.startsWith("--target"))) {
    return say(`Made ${output} (${size}) for another system; it was not tried here.`, 0);
  }
  const version = await versionOf(output);
  if (version?.startsWith("postern ")) return say(`Made ${output} (${size}): ${version}`, 0);
  await Deno.remove(output);
  return say(
    base === undefined
      ? "The binary was made and does not run on this system; it was removed."
      : `DENORT_BIN names ${base}, which is no base program: what was made of it is not Postern, and was removed.`,
    1,
  );
}

/** What a program answers to `-v`, or undefined where it cannot be run. */
async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, { args: ["-v"], stderr: "null" }).output();
    return new TextDecoder().decode(stdout).trim();
  } catch (error) {
    // The system says so of what is no program for it.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function say(text: string, status: number): number {
  // deno-lint-ignore no-console -- a task speaks to the terminal
  (status === 0 ? console.log : console.error)(text);
  return status;
}

if (import.meta.main) Deno.exit(await compile(Deno.args));
