/** Programs of the benchmark itself that run beside the server: clients, and the bare senders it is compared with. */

import { dirname, join } from "node:path";

const folder = import.meta.dirname!;

/** A helper that has said its first line. Disposing ends it. */
export interface Helper extends AsyncDisposable {
  /** The first line that it wrote. */
  readonly said: string;
}

/**
 * Starts `bench/support/<name>.ts` and waits for its first line.
 *
 * @throws {Error} when it ends without one
 */
export async function startHelper(name: string, args: readonly string[]): Promise<Helper> {
  const child = spawn(name, args);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The helper ${name} ended with ${(await child.status).code}.`);
    said += value;
  }
  return {
    said: said.slice(0, said.indexOf("\n")),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill();
      await reader.cancel();
      await child.status;
    },
  };
}

/**
 * Runs `bench/support/<name>.ts` to its end.
 *
 * @returns what it wrote, read as JSON
 * @throws {Error} when it fails
 */
export async function runHelper<T>(name: string, args: readonly string[]): Promise<T> {
  const { success, stdout } = await spawn(name, args).output();
  if (!success) throw new Error(`The helper ${name} failed.`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function spawn(name: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", join(folder, `${name}.ts`), ...args],
    cwd: dirname(dirname(folder)),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}
