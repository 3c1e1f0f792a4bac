/**
 * `deno task coverage`: runs the tests and prints how much of lib/ they ran, a line a file and a figure at the end; ends with 1 where
 * that is below 90 % of the lines, or where a test failed. Threads and programs that tests start count too. Arguments are files or
 * folders of tests instead of all; then there is no least figure.
 */

import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname!);
/** Per cent of the lines of lib/. */
const LEAST = 90;

/** Runs a program, with what it prints shown or given back. */
async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdout: "inherit" | "piped",
): Promise<{ readonly success: boolean; readonly text: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env,
    stdout,
    stderr: "inherit",
  });
  if (stdout === "inherit") return { success: (await command.spawn().status).success, text: "" };
  const output = await command.output();
  return { success: output.success, text: new TextDecoder().decode(output.stdout) };
}

/** Per cent of the lines, of the table's last row: | All files | branches | functions | lines |. */
function linesOf(table: string): number | undefined {
  const [, figure] = /^\| *All files *\|.*\| *([\d.]+) *\|\s*$/m.exec(table) ?? [];
  return figure === undefined ? undefined : Number(figure);
}

function print(text: string): void {
  // deno-lint-ignore no-console -- a task's output
  console.log(text);
}

async function main(args: readonly string[]): Promise<number> {
  const tests = args.filter((arg) => arg !== "--");
  const folder = await Deno.makeTempDir({ prefix: "postern-coverage-" });
  try {
    // The variable is handed down to every program that tests start.
    const ran = await deno(["task", "--quiet", "test", ...tests], {
      DENO_COVERAGE_DIR: folder,
    }, "inherit");
    const { text } = await deno(
      ["coverage", "--quiet", `--include=^file://${join(root, "lib")}/`, folder],
      { NO_COLOR: "1" },
      "piped",
    );
    print(text);
    const figure = linesOf(text);
    if (figure === undefined) {
      print("No coverage was written");
      return 1;
    }
    print(`${figure} % of the lines of lib/ were run by tests`);
    const enough = tests.length > 0 || figure >= LEAST;
    if (!enough) print(`Less than ${LEAST} %`);
    return ran.success && enough ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
