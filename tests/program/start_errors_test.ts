// What keeps the server from starting is one sentence on standard error and exit status 1, whatever the log's format: JSON said it twice.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { runProgram, serveArguments } from "../support/program.ts";

for (const format of ["json", "text"]) {
  Deno.test(`a start that fails says its sentence once, with a log as ${format}`, async () => {
    await using folder = await temporaryFolder();
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const [missing, maildir] = [join(folder.path, "missing"), join(folder.path, "mail")];
    await Deno.mkdir(maildir);
    const cases: readonly (readonly [flags: string[], sentence: RegExp])[] = [
      [["--port", `${port}`], /another program is using it/],
      [["--state", join(missing, "state.db")], /there is no folder/],
      [["--maildir", missing], /expected a folder that exists/],
    ];
    for (const [flags, sentence] of cases) {
      const args = replaced(serveArguments({ maildir }), [...flags, "--log-format", format]);
      const { code, stderr } = await runProgram(args);
      const lines = stderr.split("\n").filter((line) => line !== "");
      assertEquals([code, lines.filter((line) => sentence.test(line)).length], [1, 1], stderr);
      assertEquals(lines.filter((line) => /^\s+at /.test(line)), []);
    }
  });
}

/** Arguments with other values for some flags. */
function replaced(args: string[], flags: readonly string[]): string[] {
  const result = [...args];
  for (let at = 0; at < flags.length; at += 2) {
    const place = result.indexOf(flags[at]!);
    if (place < 0) result.push(flags[at]!, flags[at + 1]!);
    else result[place + 1] = flags[at + 1]!;
  }
  return result;
}
