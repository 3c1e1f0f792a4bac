// What Deno lets every thread of a process do, whatever its permissions: docs/security.md says so, and what it means. When one of these
// fails, the runtime has closed a gap, and the page can be mended.
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import type { Deed } from "./bare_thread.ts";

const GAPS: Readonly<Record<string, readonly [Deed["what"], RegExp]>> = {
  "write on standard error": ["write", /^written in .*a line of a thread without permissions/s],
  "change the working directory of the process": ["change folder", /^changed in .*postern/],
  "read a connection of another thread by its number": ["adopt", /^read a client's secret in /],
  "end the program by a signal to itself": ["end", /^$/],
};

for (const [name, [what, expected]] of Object.entries(GAPS)) {
  Deno.test(`a thread without permissions can ${name}`, async () => {
    await using folder = await temporaryFolder();
    const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-check", "--unstable-worker-options"],
        ...["--allow-net=127.0.0.1", `--allow-read`],
        join(projectRoot, "tests/workers/bare_process.ts"),
        ...[what, folder.path],
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const [said, wrong] = [stdout, stderr].map((octets) => new TextDecoder().decode(octets));
    assertEquals(code, what === "end" ? 143 : 0, wrong);
    assertMatch(`${said}${wrong}`, expected);
  });
}
