/** Reads what the kernel tells in /proc, for which the runtime wants every permission: by a program that is on every machine. */

import { TransformerError } from "../contracts/transformer.ts";
import { findProgram } from "../transform/find_program.ts";

/** Milliseconds that it may take: longer than any busy machine needs. */
const TIMEOUT_MS = 10_000;

/** Reads files one behind the other; undefined where they cannot be read, and what is known of the machine must do. */
export type KernelFiles = (...paths: string[]) => Promise<string | undefined>;

/**
 * Makes what reads them.
 *
 * @param path the variable PATH, in which `cat` is looked for
 */
export function kernelFiles(path: string): KernelFiles {
  let program: string | undefined;
  return async (...paths) => {
    program ??= await findCat(path);
    if (program === undefined) return undefined;
    try {
      const { stdout } = await new Deno.Command(program, {
        args: paths,
        cwd: "/",
        clearEnv: true,
        stdin: "null",
        stdout: "piped",
        stderr: "null",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).output();
      // A file that is not there, as without IPv6, is left out.
      return stdout.length === 0 ? undefined : new TextDecoder().decode(stdout);
    } catch (error) {
      // No process can be started now.
      if (error instanceof Error) return undefined;
      throw error;
    }
  };
}

async function findCat(path: string): Promise<string | undefined> {
  try {
    return await findProgram("cat", { path, cwd: "/" });
  } catch (error) {
    if (error instanceof TransformerError) return undefined;
    throw error;
  }
}
