/**
 * A maildrop in use counted as a failed login (145 were shown, 11 were wrong passwords), and the mean answer time was that of our own
 * penalties, of waiting for a busy maildrop and of the client's download.
 */

import { assert, assertEquals } from "@std/assert";
import { type Stage, startStage, USERS } from "../attacks/stage.ts";
import { messageOfSize } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";

async function figures(stage: Stage): Promise<Map<string, number>> {
  using client = await Pop3Client.connect({ port: stage.program.port("msmp") });
  await client.line();
  await client.ok("USER root");
  await client.ok("PASS toor");
  await client.ok("MSMP 2");
  await client.ok("STAT");
  return new Map((await client.list()).map((line): [string, number] => {
    const [name = "", value] = line.split(": ");
    return [name, Number(value)];
  }));
}

Deno.test("figures: a maildrop in use is no failed login", async () => {
  await using stage = await startStage({
    tls: false,
    flags: ["--admin", "root:toor", "--http", "127.0.0.1:0"],
  });
  using holder = await stage.connect();
  await holder.login("bob", USERS.bob);
  using client = await stage.connect();
  await client.line();
  await client.ok("USER bob");
  assert((await client.command(`PASS ${USERS.bob}`)).startsWith("-ERR [IN-USE]"));
  await client.ok("USER bob");
  assert((await client.command("PASS wrong")).startsWith("-ERR [AUTH]"));
  const all = await figures(stage);
  assertEquals(
    ["attempts", "failures", "refusals"].map((name) => all.get(`pop3.auth.${name}`)),
    [3, 1, 1],
  );
  const metrics = await fetch(`http://127.0.0.1:${stage.program.port("http")}/metrics`);
  const lines = (await metrics.text()).split("\n");
  for (
    const line of [
      'pop3_auth_failures_total{mechanism="USER",reason="credentials"} 1',
      'pop3_auth_refusals_total{mechanism="USER",reason="in-use"} 1',
    ]
  ) assert(lines.includes(line), line);
});

Deno.test("figures: what a command took is the server's work, not the penalty, the wait for a lock or the client's reading", async () => {
  await using stage = await startStage({
    tls: false,
    authDelay: "3",
    flags: ["--admin", "root:toor", "--transformer", "none"],
    messages: [messageOfSize(40_000_000)],
  });
  using guesser = await stage.connect();
  await guesser.line();
  await guesser.ok("USER alice");
  let begun = performance.now();
  assert((await guesser.command("PASS wrong")).startsWith("-ERR [AUTH]"));
  const penalty = performance.now() - begun;
  using slow = await stage.connect();
  await slow.login("alice", USERS.alice);
  await slow.send("RETR 1\r\n");
  begun = performance.now();
  // Buffers of the system are full, and the server waits for the client. Real time is what is counted here, so it is measured too.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const pause = performance.now() - begun;
  await slow.line();
  await slow.multilineSent();
  await slow.ok("QUIT");
  const all = await figures(stage);
  const [count = 0, mean = 0] = [all.get("pop3.commands"), all.get("pop3.command.duration")];
  // USER, PASS, USER, PASS, RETR, QUIT.
  assertEquals(count, 6);
  const waited = Math.round(penalty + pause);
  assert(
    count * mean < waited / 2,
    `${count} commands took ${mean} ms each; ${waited} ms were waited`,
  );
});
