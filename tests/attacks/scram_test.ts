// SCRAM-SHA-256: a nonce serves once, channel binding is not pretended, unknown users look like known ones.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { startStage, USERS } from "./stage.ts";
import { fieldsOf, scram } from "./scram_exchange.ts";

const MALFORMED = "-ERR Malformed authentication: ";

Deno.test("SCRAM: a good exchange logs in only once the client has taken the server's proof", async () => {
  await using stage = await startStage();
  using client = await stage.connect();
  await client.line();
  const { proven } = await scram(client, { user: "alice", password: USERS.alice });
  assert(proven, "the server's proof was expected");
  assertEquals(await client.command(""), "+OK 3 messages (900 octets)");
  using other = await stage.connect();
  await other.line();
  assert((await scram(other, { user: "bob", password: USERS.bob })).proven);
  // A client that does not believe the server is not logged in, and the maildrop is free again.
  assert((await other.command("*")).startsWith("-ERR "));
  assertEquals(await other.command("STAT"), "-ERR Log in first");
  await stage.serves();
});

Deno.test("SCRAM: a client that leaves behind the server's proof leaves no lock", async () => {
  await using stage = await startStage();
  {
    using client = await stage.connect();
    await client.line();
    assert((await scram(client, { user: "alice", password: USERS.alice })).proven);
  }
  await stage.aliceIsFree();
});

Deno.test("SCRAM: each exchange has a nonce of its own, and a last message fits its own exchange only", async () => {
  await using stage = await startStage();
  using client = await stage.connect();
  await client.line();
  const good = await scram(client, { user: "alice", password: USERS.alice });
  assert(good.proven);
  assert((await client.command("*")).startsWith("-ERR "));
  const script = { user: "alice", password: USERS.alice, replay: good.sent };
  for (let again = 0; again < 2; again++) {
    const { answer, serverFirst } = await scram(client, script);
    assertNotEquals(serverFirst, good.serverFirst);
    assertEquals(answer, `${MALFORMED}its nonce is another`);
  }
  using other = await stage.connectTls();
  await other.line();
  assertEquals((await scram(other, script)).answer, `${MALFORMED}its nonce is another`);
  for (
    const finalNonce of [
      (nonce: string) => nonce.slice(0, -1),
      (nonce: string) => `${nonce}A`,
      (nonce: string) => nonce.toLowerCase(),
      () => "fyko+d2lbbFgONRv9qkxdawL",
    ]
  ) {
    const { answer } = await scram(client, { user: "alice", password: USERS.alice, finalNonce });
    assert(answer.startsWith(MALFORMED), answer);
    await client.ok("NOOP");
  }
});

Deno.test("SCRAM: channel binding is not offered, cannot be asked for, and cannot be lied about", async () => {
  await using stage = await startStage();
  for (const client of [await stage.connect(), await stage.connectTls()]) {
    using _ = client;
    await client.line();
    await client.ok("CAPA");
    const sasl = (await client.list()).find((line) => line.startsWith("SASL "));
    assert(sasl?.includes(" SCRAM-SHA-256") && !sasl.includes("PLUS"), sasl);
    const known = { user: "alice", password: USERS.alice };
    for (const name of ["tls-unique", "tls-exporter", "tls-server-end-point"]) {
      const { answer } = await scram(client, { ...known, header: `p=${name},,` });
      assertEquals(answer, `${MALFORMED}it wants channel binding, which is not offered`);
    }
    assert((await client.command("AUTH SCRAM-SHA-256-PLUS")).startsWith("-ERR "));
    // Someone in the middle who turned "y" into "n" is found out.
    const { answer } = await scram(client, { ...known, header: "n,,", binding: "y,," });
    assertEquals(answer, `${MALFORMED}its channel binding data are others`);
    // A client that could bind and believes that we cannot is right.
    assert((await scram(client, { ...known, header: "y,," })).proven);
    assert((await client.command("*")).startsWith("-ERR "));
  }
});

Deno.test("SCRAM: an unknown user is asked like a known one, the same each time, and refused alike", async () => {
  await using stage = await startStage();
  const seen = new Map<string, Set<string>>();
  const answers = new Set<string>();
  for (const user of ["alice", "nobody", "nobody2", "../alice", "ALICE"]) {
    for (let again = 0; again < 2; again++) {
      using client = await stage.connect();
      await client.line();
      const { serverFirst, answer } = await scram(client, { user, password: "wrong" });
      const { s = "", i = "" } = fieldsOf(serverFirst);
      assertEquals(Uint8Array.fromBase64(s).length, 16);
      seen.set(user, (seen.get(user) ?? new Set()).add(`${s} ${i}`));
      answers.add(answer);
    }
  }
  assertEquals([...answers], ["-ERR [AUTH] Authentication failed"]);
  for (const [user, salts] of seen) assertEquals(salts.size, 1, user);
  const counts = new Set([...seen.values()].flatMap((one) => [...one].map((s) => s.split(" ")[1])));
  assertEquals(counts.size, 1, "one iteration count for all");
  assertEquals(new Set([...seen.values()].flatMap((one) => [...one])).size, seen.size);
});

Deno.test("SCRAM: a client that answers the server's proof with an over-long line leaves no lock", async () => {
  await using stage = await startStage();
  using client = await stage.connect();
  await client.line();
  assert((await scram(client, { user: "alice", password: USERS.alice })).proven);
  assertEquals(await client.command("A".repeat(13_000)), `${MALFORMED}its response is too long`);
  await client.ok("USER alice");
  assertEquals(await client.command(`PASS ${USERS.alice}`), "+OK 3 messages (900 octets)");
});
