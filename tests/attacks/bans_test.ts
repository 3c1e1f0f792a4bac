// Those who guess are slowed, shut out for a while, and nobody with them.
import { assert, assertEquals } from "@std/assert";
import { Pop3Client } from "../support/pop3_client.ts";
import { base64, type Stage, startStage, USERS } from "./stage.ts";

const BANNED = "-ERR [AUTH] Too many failed logins, try again later";

/** A client whose address a trusted proxy tells. */
async function from(stage: Stage, address: string): Promise<Pop3Client> {
  const client = await Pop3Client.connect({ port: stage.program.port() });
  const family = address.includes(":") ? "TCP6" : "TCP4";
  const own = address.includes(":") ? "::1" : "127.0.0.1";
  await client.send(`PROXY ${family} ${address} ${own} 4000 110\r\n`);
  return client;
}

/** Fails so often, twice a session, each time with another password; stops when it is banned. */
async function fail(
  connect: () => Promise<Pop3Client>,
  times: number,
  password: (turn: number) => string = (turn) => `wrong ${turn}`,
): Promise<number> {
  for (let turn = 0; turn < times;) {
    using client = await connect();
    if (await client.line() === BANNED) return turn;
    for (let tries = 0; tries < 2 && turn < times; tries++) {
      await client.ok("USER alice");
      const answer = await client.command(`PASS ${password(turn++)}`);
      assertEquals(answer, "-ERR [AUTH] Authentication failed");
    }
  }
  return times;
}

const proxied = ["--proxy-protocol", "127.0.0.1/32"];

Deno.test("bans: twenty failures shut an address out at the greeting, loopback too", async () => {
  await using stage = await startStage();
  // One who has been in is refused as well, and before that not told apart from a wrong password.
  using waiting = await stage.connect();
  await waiting.line();
  assertEquals(await fail(() => stage.connect(), 19), 19);
  {
    using client = await stage.connect();
    assert((await client.line()).startsWith("+OK "));
  }
  assertEquals(await fail(() => stage.connect(), 1, () => "the last one"), 1);
  using client = await stage.connect();
  assertEquals(await client.line(), BANNED);
  await client.ended();
  using secure = await stage.connectTls();
  assertEquals(await secure.line(), BANNED);
  await secure.ended();
  await waiting.ok("USER alice");
  assertEquals(
    await waiting.command(`PASS ${USERS.alice}`),
    "-ERR [AUTH] Authentication failed",
  );
  assertEquals(
    await waiting.command(`AUTH PLAIN ${base64(`\0alice\0${USERS.alice}`)}`),
    "-ERR [AUTH] Authentication failed",
  );
});

Deno.test("bans: the address that a proxy tells is shut out, and nobody beside it", async () => {
  await using stage = await startStage({ flags: proxied });
  assertEquals(await fail(() => from(stage, "192.0.2.7"), 40), 20);
  using client = await from(stage, "192.0.2.7");
  assertEquals(await client.line(), BANNED);
  using neighbour = await from(stage, "192.0.2.8");
  await neighbour.login("alice", USERS.alice);
  // Of IPv6, where an attacker has a whole network, the /64 is shut out.
  let host = 0;
  assertEquals(await fail(() => from(stage, `2001:db8:1:2::${(++host).toString(16)}`), 40), 20);
  using other = await from(stage, "2001:db8:1:2:ffff::1");
  assertEquals(await other.line(), BANNED);
  using next = await from(stage, "2001:db8:1:3::1");
  assert((await next.line()).startsWith("+OK "));
  // The same address in its IPv4-mapped form is no way around.
  using mapped = await from(stage, "::ffff:192.0.2.7");
  assertEquals(await mapped.line(), BANNED);
});

Deno.test("bans: the same stale password over and over counts once", async () => {
  await using stage = await startStage({ flags: proxied });
  const connect = () => from(stage, "192.0.2.9");
  assertEquals(await fail(connect, 45, () => "last year's"), 45);
  using colleague = await connect();
  await colleague.login("bob", USERS.bob);
});

Deno.test("bans: one's own account does not wash off what was failed with others'", async () => {
  await using stage = await startStage({ flags: proxied });
  const connect = () => from(stage, "192.0.2.10");
  for (let round = 0; round < 3; round++) {
    assertEquals(await fail(connect, 6, (turn) => `guess ${round} ${turn}`), 6);
    using own = await connect();
    await own.login("bob", USERS.bob);
    await own.ok("QUIT");
  }
  assertEquals(await fail(connect, 40, (turn) => `more ${turn}`), 2);
});

Deno.test("bans: failures by AUTH PLAIN and LOGIN count like those by PASS", async () => {
  await using stage = await startStage({ tls: false, flags: proxied });
  const connect = () => from(stage, "192.0.2.11");
  assertEquals(await fail(connect, 18), 18);
  using client = await connect();
  await client.line();
  assert((await client.command(`AUTH PLAIN ${base64("\0bob\0x")}`)).startsWith("-ERR [AUTH]"));
  await client.command("AUTH LOGIN");
  await client.command(base64("bob"));
  assert((await client.command(base64("y"))).startsWith("-ERR [AUTH]"));
  using late = await connect();
  assertEquals(await late.line(), BANNED);
});

Deno.test("bans: a name that is guessed from everywhere stays open to its user's own address", async () => {
  await using stage = await startStage({ flags: proxied });
  using home = await from(stage, "198.51.100.5");
  await home.login("alice", USERS.alice);
  await home.ok("QUIT");
  await home.ended();
  for (let host = 1; host <= 34; host++) {
    await fail(() => from(stage, `203.0.113.${host}`), 3, (turn) => `${host} ${turn}`);
  }
  // By now the name is shut: from elsewhere even the right password is refused …
  using stranger = await from(stage, "203.0.113.200");
  await stranger.line();
  await stranger.ok("USER alice");
  assertEquals(await stranger.command(`PASS ${USERS.alice}`), "-ERR [AUTH] Authentication failed");
  // … and alice comes in from where she was.
  using again = await from(stage, "198.51.100.5");
  await again.login("alice", USERS.alice);
});

Deno.test("bans: refusals take longer and longer, and auth_delay 0 turns that off and nothing else", async () => {
  await using slow = await startStage({
    flags: [...proxied, "--auth-delay-max", "2"],
    authDelay: "1",
  });
  using client = await from(slow, "192.0.2.12");
  await client.line();
  const times: number[] = [];
  for (const password of ["a", "a"]) {
    await client.ok("USER alice");
    const begun = performance.now();
    assertEquals(
      await client.command(`PASS ${password}`),
      "-ERR [AUTH] Authentication failed",
    );
    times.push(performance.now() - begun);
  }
  const [first = 0, second = 0] = times;
  assert(first >= 990 && first < 1900 && second >= 1990, times.join(" "));
  // Nobody else waits, and who has the right password neither.
  using right = await from(slow, "192.0.2.13");
  const begun = performance.now();
  await right.login("bob", USERS.bob);
  assert(performance.now() - begun < 500);
});
