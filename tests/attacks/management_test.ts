// The management port: out of reach by default, and its passwords cannot be felt out (CVE-2026-27856). More in tests/msmp.
import { assert, assertEquals } from "@std/assert";
import { Pop3Client } from "../support/pop3_client.ts";
import { type Stage, startStage, USERS } from "./stage.ts";

function manage(stage: Stage): Promise<Pop3Client> {
  return Pop3Client.connect({ port: stage.program.port("msmp") });
}

Deno.test("management: it listens on loopback alone unless it is told otherwise", async () => {
  await using stage = await startStage({ tls: false, flags: ["--admin", "root:toor"] });
  const addresses = stage.program.listeners.filter(({ protocol }) => protocol === "msmp");
  assert(addresses.length > 0);
  for (const { address } of addresses) assert(/^(127\.0\.0\.1|::1)$/.test(address), address);
});

Deno.test("management: a user's password opens nothing here, nor an administrator's the mail", async () => {
  await using stage = await startStage({ tls: false, flags: ["--admin", "root:toor"] });
  using client = await manage(stage);
  await client.line();
  for (const [name, password] of [["alice", USERS.alice], ["root", "wrong"], ["nobody", "x"]]) {
    await client.ok(`USER ${name}`);
    assertEquals(await client.command(`PASS ${password}`), "-ERR Invalid credentials");
  }
  assert((await client.command("LIST")).startsWith("-ERR "));
  using mail = await stage.connect();
  await mail.line();
  await mail.ok("USER root");
  assertEquals(await mail.command("PASS toor"), "-ERR [AUTH] Authentication failed");
});

Deno.test("management: failures on POP3 are counted apart, and UNBAN lifts what they led to", async () => {
  await using stage = await startStage({ tls: false, flags: ["--admin", "root:toor"] });
  for (let turn = 0; turn < 20; turn++) {
    using guesser = await stage.connect();
    await guesser.line();
    await guesser.ok("USER alice");
    assertEquals(await guesser.command(`PASS guess ${turn}`), "-ERR [AUTH] Authentication failed");
  }
  using banned = await stage.connect();
  assert((await banned.line()).startsWith("-ERR [AUTH] "));
  using admin = await manage(stage);
  await admin.line();
  await admin.ok("USER root");
  assertEquals(await admin.command("PASS toor"), "+OK Logged in");
  await admin.ok("MSMP 2");
  await admin.ok("BANS");
  const bans = await admin.list();
  assert(bans.some((line) => line.includes("127.0.0.1")), bans.join(", "));
  await admin.ok("UNBAN 127.0.0.1");
  await stage.serves();
});
