/** `deno task coverage`: the figure at its end. */

import { assertEquals, assertMatch } from "@std/assert";

Deno.test("the coverage task runs tests and prints how much of lib/ they ran", async () => {
  const run = async (path: string): Promise<{ code: number; text: string }> => {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "coverage", path],
      stderr: "null",
      env: { NO_COLOR: "1" },
    }).output();
    return { code, text: new TextDecoder().decode(stdout) };
  };

  const good = await run("tests/wire/reply_writer_test.ts");
  assertEquals(good.code, 0);
  assertMatch(good.text, /^ok \| [1-9]\d* passed/m);
  assertMatch(good.text, /^\| *wire\/reply_writer\.ts *\|/m);
  assertMatch(good.text, /\n[1-9][\d.]* % of the lines of lib\/ were run by tests\n$/);
  // A failure of the tests is one of the task.
  assertEquals((await run("tests/there-is-no-such_test.ts")).code, 1);
});
