/** The real program as a benchmark starts it. */

import {
  type ProgramOptions,
  type RunningProgram,
  startProgram,
} from "../../tests/support/program.ts";

/** The program under measurement. Disposing ends it, and requires that it ends well. */
export type { RunningProgram };

/**
 * Starts the program on free ports of 127.0.0.1, as an operator would: nothing is turned down for the benchmark but the time that a
 * shutdown waits, since clients that are gone need none. `POSTERN_TEST_PROGRAM` names another one, as the binary, or Deno with `--cpu-prof`.
 */
export function startServer(options: ProgramOptions): Promise<RunningProgram> {
  const { flags = [] } = options;
  const grace = flags.includes("--grace") ? [] : ["--grace", "2"];
  return startProgram({ ...options, flags: [...grace, ...flags] });
}

/** Writes a passwd-file with users of the password `pw` in clear. */
export async function plainUsers(path: string, names: Iterable<string>): Promise<void> {
  await Deno.writeTextFile(path, [...names].map((name) => `${name}:{PLAIN}pw\n`).join(""));
}
