// Whoever asks learns not which users exist (CVE-2000-0960, CVE-2002-1416). Times are compared by bench/refused_login_timing.ts.
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { scram } from "./scram_exchange.ts";
import { base64, startStage } from "./stage.ts";

/** Each way to log in: everything that the server says to somebody with a wrong password. */
const WAYS: Readonly<Record<string, (client: Pop3Client, user: string) => Promise<string[]>>> = {
  "USER and PASS": async (client, user) => [
    await client.command(`USER ${user}`),
    await client.command("PASS wrong"),
  ],
  "an empty PASS": async (client, user) => [
    await client.command(`USER ${user}`),
    await client.command("PASS "),
  ],
  "AUTH PLAIN": async (client, user) => [
    await client.command(`AUTH PLAIN ${base64(`\0${user}\0wrong`)}`),
  ],
  "AUTH LOGIN": async (client, user) => [
    await client.command("AUTH LOGIN"),
    await client.command(base64(user)),
    await client.command(base64("wrong")),
  ],
};

async function asked(
  connect: () => Promise<Pop3Client>,
  way: (client: Pop3Client, user: string) => Promise<string[]>,
  user: string,
): Promise<string[]> {
  using client = await connect();
  await client.line();
  const answers = await way(client, user);
  return [...answers, await client.command("NOOP")];
}

Deno.test("who exists: every way to log in answers unknown, known and locked users alike", async (t) => {
  await using stage = await startStage({ flags: ["--proxy-protocol", "192.0.2.0/24"] });
  const ways = {
    ...WAYS,
    "AUTH SCRAM-SHA-256": async (client: Pop3Client, user: string) => [
      (await scram(client, { user, password: "wrong" })).answer,
    ],
  };
  // Bob's maildrop is locked, which a wrong password must not tell.
  using holder = await stage.connect();
  await holder.login("bob", "builder");
  for (const [name, way] of Object.entries(ways)) {
    await t.step(name, async () => {
      const connect = () => stage.connect();
      const nobody = await asked(connect, way, "nobody");
      assertEquals(nobody.at(-2), "-ERR [AUTH] Authentication failed");
      assertEquals(await asked(connect, way, "alice"), nobody);
      assertEquals(await asked(connect, way, "bob"), nobody);
    });
  }
});

Deno.test("who exists: APOP answers alike for users in clear, users with keys, and nobody", async () => {
  await using folder = await temporaryFolder();
  const users = join(folder.path, "users");
  await Deno.writeTextFile(users, "carol:{PLAIN}tanstaaf\n");
  await using stage = await startStage({ flags: ["--apop", "--users", users], tls: false });
  const say = async (user: string, password: string): Promise<string> => {
    using client = await stage.connect();
    const [timestamp = ""] = /<[^>]+>/.exec(await client.line()) ?? [];
    assert(/^<[\x21-\x3b\x3d\x3f-\x7e]+@[^>]+>$/.test(timestamp), timestamp);
    const digest = createHash("md5").update(timestamp + password).digest("hex");
    return await client.command(`APOP ${user} ${digest}`);
  };
  assertEquals(await say("carol", "tanstaaf"), "+OK 0 messages (0 octets)");
  const refused = "-ERR [AUTH] Authentication failed";
  assertEquals(await say("carol", "wrong"), refused);
  // Alice has no password in clear: neither the right one nor the empty one is one for APOP.
  assertEquals(await say("alice", "wonder land"), refused);
  assertEquals(await say("alice", ""), refused);
  assertEquals(await say("nobody", ""), refused);
});

Deno.test("who exists: APOP is off unless it is asked for, and its timestamp serves one session (CVE-2007-1558)", async () => {
  await using stage = await startStage({ tls: false });
  using client = await stage.connect();
  assert(!(await client.line()).includes("<"));
  assert((await client.command(`APOP alice ${"0".repeat(32)}`)).startsWith("-ERR "));
  await client.ok("CAPA");
  assert(!(await client.list()).some((line) => line.includes("APOP")));

  await using folder = await temporaryFolder();
  const users = join(folder.path, "users");
  await Deno.writeTextFile(users, "carol:{PLAIN}tanstaaf\n");
  await using other = await startStage({ flags: ["--apop", "--users", users], tls: false });
  const timestamps = new Set<string>();
  let replay = "";
  for (let session = 0; session < 20; session++) {
    using again = await other.connect();
    const [timestamp = ""] = /<[^>]+>/.exec(await again.line()) ?? [];
    timestamps.add(timestamp);
    if (session < 3 && replay !== "") {
      assertEquals(await again.command(replay), "-ERR [AUTH] Authentication failed");
    }
    if (replay === "") {
      replay = `APOP carol ${createHash("md5").update(`${timestamp}tanstaaf`).digest("hex")}`;
    }
  }
  assertEquals(timestamps.size, 20);
});
