/** Runs the program to its end with a pipe for its input, as in a shell script. */

import { runArguments } from "../../tasks/run_arguments.ts";
import { machineEnvironment } from "./program.ts";
import { projectRoot } from "./mailboxes.ts";
import { within } from "./waiting.ts";

/** How it ended. */
export interface PipedEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `postern` with these arguments; `input` is all that its standard input holds. */
export async function postern(
  args: readonly string[],
  { input = "", env = {} }: {
    readonly input?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<PipedEnd> {
  const program = Deno.env.get("POSTERN_TEST_PROGRAM")?.split(" ") ??
    [Deno.execPath(), ...runArguments()];
  const child = new Deno.Command(program[0]!, {
    args: [...program.slice(1), ...args],
    cwd: projectRoot,
    env: { ...machineEnvironment(), NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  // Who does not read its input may be gone before it is written.
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close())
    .catch((error) => {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    });
  const { code, stdout, stderr } = await within(output, `the end of postern ${args.join(" ")}`);
  await written;
  const decoder = new TextDecoder();
  // Deno itself says that permission sets are new.
  const told = decoder.decode(stderr).replace(/^Warning Permissions in the config file.*\n/, "");
  return { code, stdout: decoder.decode(stdout), stderr: told };
}
