/** `--greeting TEXT`, as checks of load balancers expect it, with APOP's timestamp behind it. */

import { assertEquals, assertMatch } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { type RunningProgram, runProgram, startProgram } from "../support/program.ts";

async function greetingOf(program: RunningProgram): Promise<string> {
  using client = await program.connect();
  return await client.line();
}

Deno.test("the greeting's text is set by flag, and APOP's timestamp stays behind it", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    flags: ["--greeting", "POP3 ready, at your service", "--apop"],
  });
  assertMatch(await greetingOf(program), /^\+OK POP3 ready, at your service <[^<>@]+@[^<>@]+>$/);
  const { code, stderr } = await runProgram(["serve", "--greeting", "two\nlines"]);
  assertEquals(code, 2);
  assertMatch(stderr, /^postern: --greeting "two.*": expected 1 to 200 printable ASCII .*\n$/);
});
