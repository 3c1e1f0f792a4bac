/** The greeting was counted as a command, and AUTH once for each line of its exchange. */

import { assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

Deno.test("pop3.commands counts the commands that clients gave, an exchange of AUTH as one", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    users: { alice: "wonderland" },
    flags: ["--http", "127.0.0.1:0"],
  });
  using client = await program.connect();
  await client.line();
  await client.command("AUTH PLAIN");
  await client.ok(btoa("\0alice\0wonderland"));
  await client.ok("STAT");
  await client.ok("QUIT");
  await client.ended();

  let counted: string[] = [];
  await eventually("QUIT's count", async () => {
    const response = await fetch(`http://127.0.0.1:${program.port("http")}/metrics`);
    counted = (await response.text()).split("\n").filter((line) =>
      /^pop3_commands_total.* [1-9]/.test(line)
    );
    return counted.some((line) => line.includes("QUIT"));
  });
  assertEquals(
    counted,
    ["AUTH", "STAT", "QUIT"].map((name) => `pop3_commands_total{command="${name}",outcome="ok"} 1`),
  );
});
