/** `postern demo`: what it makes is served, and the lines that `--serve` prints work when they are pasted. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import { RunningProgram, runProgram, spawnProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

/** Ports that are free now. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

Deno.test("demo makes users with mailboxes of so many messages of so many octets", async () => {
  await using folder = await temporaryFolder();
  const target = join(folder.path, "try");
  const made = await runProgram([
    ...["demo", "--users", "3", "--messages", "4", "--size", "1K", target],
  ]);
  assertEquals([made.code, made.stderr], [0, ""]);
  assertMatch(made.stdout, /3 users \(demo to demo3, password = name\) with 4 messages each/);
  await using program = await startProgram({
    maildir: join(target, "mail"),
    flags: ["--users", join(target, "users")],
  });
  using client = await program.connect();
  assertMatch(await client.login("demo3", "demo3"), /4 messages \(4096 octets\)/);
  const text = new TextDecoder().decode(await client.retrieve(2));
  assertMatch(text, /^From: .*\r\nTo: demo3 .*\r\nSubject: Message 2 for demo3\r\n/);
  assertEquals(text.length, 1024);
  // What is there is not overwritten.
  const again = await runProgram(["demo", target]);
  assertEquals([again.code, again.stdout], [1, ""]);
  assertMatch(again.stderr, /is not empty/);
  for (const wrong of [["--users", "0"], ["--size", "3"], ["--messages", "x"], ["a", "b"]]) {
    assertEquals((await runProgram(["demo", ...wrong])).code, 2, wrong.join(" "));
  }
});

Deno.test("each of the three lines of demo --serve works when it is pasted", async () => {
  const [pop3, admin, http] = freePorts(3);
  const program = new RunningProgram(
    spawnProgram([
      ...["demo", "--serve", "--port", `${pop3}`, "--admin-port", `${admin}`],
      ...["--http-port", `${http}`, "--messages", "2"],
    ]),
  );
  try {
    await eventually("ready", () => /\bready\b/.test(program.stderr), () => program.stderr);
    assert(!/WARN|ERR/.test(program.stderr), program.stderr);
    const lines = program.stdout.split("\n").filter((line) => line.startsWith("  "));
    assertEquals(lines.length, 3, program.stdout);
    const wanted = [/^Subject: Message 1 for demo\r$/m, /^pop3\.sessions\.active +\d/m, /^ready$/m];
    for (const [at, line] of lines.entries()) {
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", line],
        cwd: projectRoot,
      }).output();
      const [out, err] = [stdout, stderr].map((octets) => new TextDecoder().decode(octets));
      assertEquals(code, 0, `${line}: ${err}`);
      assertMatch(out!, wanted[at]!, line);
    }
  } finally {
    await program.stop();
  }
  assertEquals((await program.ended()).code, 0);
});
