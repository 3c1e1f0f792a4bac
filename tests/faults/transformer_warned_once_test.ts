/** Each message that a transformer failed on was a warning of its own. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const FAILURES = 8;

for (
  const [how, command] of [
    ["before its first octet", "false"],
    ["in the middle", "sh -c 'cat; exit 1'"],
  ] as const
) {
  Deno.test(`a transformer that keeps failing ${how} is one warning in the log`, async () => {
    await using folder = await temporaryFolder();
    await makeMailbox(join(folder.path, "alice"), "maildir", [
      new TextEncoder().encode("Subject: x\n\ny\n"),
    ]);
    await using program = await startProgram({
      maildir: folder.path,
      users: { alice: "wonderland" },
      flags: ["-t", command],
    });
    for (let run = 0; run < FAILURES; run++) {
      using client = await program.connect();
      await client.login("alice", "wonderland");
      await client.send("RETR 1\r\nQUIT\r\n");
      await client.leave();
    }
    const told = (level: string, text: string): string[] =>
      program.log.filter((line) => line.level === level && line.message.includes(text))
        .map(({ message }) => message);
    await eventually(
      "all failures in the log",
      () => told("info", "The transformer failed").length === FAILURES,
      () => program.stderr,
    );
    assertEquals(told("warning", "transformer").length, 1, program.stderr);
    assertEquals(told("warning", "sent"), []);
  });
}
