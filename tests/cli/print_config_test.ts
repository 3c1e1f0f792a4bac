/** `postern serve --print-config`, as it is started. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { runProgram } from "../support/program.ts";

Deno.test("--print-config shows what SET kept, and says so where a server holds the state file", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern.db");
  assert((await show(path)).rows.includes("max_users 0 default"));
  assertEquals(await namesIn(folder.path), [], "a state file was made");
  {
    await using state = await SqliteState.open({ path });
    await state.settings.set("max_users", "7");
    await state.settings.set("timeout", "900");
    const { rows, stderr } = await show(path);
    assert(rows.includes("max_users 0 default"), rows.join("\n"));
    assert(stderr.includes("are not shown"), stderr);
    assert(stderr.includes("postern admin"), stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
  const { rows, stderr } = await show(path, "--timeout", "800");
  assert(rows.includes("max_users 7 set"), rows.join("\n"));
  assert(rows.includes("timeout 800 flag"), rows.join("\n"));
  assertEquals(stderr, "");
});

/** What it prints, a row a setting with single blanks. */
async function show(
  state: string,
  ...flags: readonly string[]
): Promise<{ readonly rows: readonly string[]; readonly stderr: string }> {
  const args = ["serve", "--print-config", "--state", state, ...flags];
  const { code, stdout, stderr } = await runProgram(args);
  assertEquals(code, 0, stderr);
  return { rows: stdout.split("\n").map((row) => row.replace(/ +/g, " ")), stderr };
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}
