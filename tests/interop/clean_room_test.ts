// A stranger's first minute: a fresh clone, `deno task start`, and the curl line that it prints.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import { machineEnvironment, RunningProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

async function output(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const said = new TextDecoder().decode(stdout);
  if (!success) {
    throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
  return said;
}

async function isClone(): Promise<boolean> {
  try {
    await Deno.stat(join(projectRoot, ".git"));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test({
  name:
    "a fresh clone serves a demo mailbox by deno task start, says how to try it, and stays clean",
  ignore: !(await isClone()),
  fn: async (): Promise<void> => {
    await using folder = await temporaryFolder();
    const clone = join(folder.path, "clone");
    await output("git", ["clone", "--quiet", projectRoot, clone], folder.path);
    const program = new RunningProgram(
      new Deno.Command(Deno.execPath(), {
        args: ["task", "start"],
        cwd: clone,
        clearEnv: true,
        env: { ...machineEnvironment(), NO_COLOR: "1" },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
    try {
      const told = (): string => program.stdout + program.stderr;
      await eventually("the server being ready", () => /\bready\b/.test(told()), told);
      const line = told().match(/curl (-u \S+ pop3:\/\/[\w.:/]+)/);
      if (line === null) throw new Error(`No curl line to try in: ${told()}`);
      const message = await output("curl", ["--silent", ...line[1]!.split(" ")], folder.path);
      assert(/^Subject: /m.test(message), message);
    } finally {
      await program.stop();
    }
    assertEquals(await output("git", ["status", "--porcelain"], clone), "");
  },
});
