// SASL exchanges that go wrong concern their own session only (CVE-2017-15132, CVE-2025-59028, CVE-2020-12674).
import { assert, assertEquals } from "@std/assert";
import { base64, heavy, startStage, USERS } from "./stage.ts";

const MECHANISMS = ["PLAIN", "LOGIN", "SCRAM-SHA-256"] as const;
const AT_ONCE = heavy ? 1000 : 200;

Deno.test("SASL: every wrong line ends the exchange, and nothing but the exchange", async (t) => {
  await using stage = await startStage({ flags: ["--max-bad-commands", "100"] });
  const lines = new Map([
    ["a star", "*"],
    ["an empty line", ""],
    ["=", "="],
    ["two stars", "**"],
    ["bad base64", "!!!!"],
    ["base64 without its padding", "YQ"],
    ["base64 of bits that say nothing", "YR=="],
    ["a blank", " "],
    ["a command", "QUIT"],
    ["NULs", "\0\0\0"],
    ["invalid UTF-8 in base64", "/////w=="],
    ["12 287 octets", "A".repeat(12_284)],
    ["100 kB", "A".repeat(100_000)],
  ]);
  for (const mechanism of MECHANISMS) {
    await t.step(mechanism, async () => {
      using client = await stage.connect();
      await client.line();
      for (const [what, line] of lines) {
        let answer = await client.command(`AUTH ${mechanism}`);
        assert(answer.startsWith("+ "), answer);
        answer = await client.command(line);
        // LOGIN takes any text for a name, and is stopped one line later.
        if (answer.startsWith("+ ")) answer = await client.command("*");
        assert(answer.startsWith("-ERR "), `${what}: ${answer}`);
        assert(!answer.includes(line) || line.length < 3 || what === "two stars", answer);
        await client.ok("NOOP");
      }
      for (const initial of ["*", "==", "!!!!", "YQ", `${"A".repeat(220)}!`]) {
        const answer = await client.command(`AUTH ${mechanism} ${initial}`);
        assert(answer.startsWith("-ERR "), `${initial}: ${answer}`);
        await client.ok("NOOP");
      }
      await client.ok(`USER alice`);
      await client.ok(`PASS ${USERS.alice}`);
      assertEquals(await client.command("QUIT"), "+OK 3 messages left");
      await client.ended();
    });
  }
  await stage.serves();
});

Deno.test("SASL: an initial response that does not fit a command line is sent behind an empty challenge", async () => {
  // RFC 5034, section 4: a command line has at most 255 octets; the continuation line takes more.
  await using stage = await startStage({ users: { ["n".repeat(60)]: "p".repeat(400) } });
  using client = await stage.connect();
  await client.line();
  const message = base64(`\0${"n".repeat(60)}\0${"p".repeat(400)}`);
  assert((await client.command(`AUTH PLAIN ${message}`)).startsWith("-ERR "));
  assertEquals(await client.command("AUTH PLAIN"), "+ ");
  assert((await client.command(message)).startsWith("+OK "));
});

Deno.test("SASL: exchanges that are left half-way, many at once, hold neither memory nor maildrop", async () => {
  await using stage = await startStage({ flags: ["--max-connections", "5000"] });
  const before = await stage.memory();
  const halves = await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, index) => {
      const client = await stage.connect();
      await client.line();
      await client.command(`AUTH ${MECHANISMS[index % 3]}`);
      // The better part of the longest line that there may be.
      await client.send("A".repeat(12_000));
      return client;
    }),
  );
  await stage.serves();
  const grown = await stage.memory() - before;
  assert(grown < AT_ONCE * 0.1 + 40, `${grown.toFixed()} MiB more for ${AT_ONCE} half lines`);
  for (const client of halves) client[Symbol.dispose]();
  await stage.aliceIsFree();
});

Deno.test("SASL: the third refusal ends the session, whatever the mechanism", async () => {
  await using stage = await startStage();
  using client = await stage.connect();
  await client.line();
  const wrong = base64("\0alice\0wrong");
  assertEquals(await client.command(`AUTH PLAIN ${wrong}`), "-ERR [AUTH] Authentication failed");
  await client.ok("USER alice");
  assertEquals(await client.command("PASS wrong"), "-ERR [AUTH] Authentication failed");
  assert((await client.command("AUTH LOGIN")).startsWith("+ "));
  assert((await client.command(base64("alice"))).startsWith("+ "));
  assertEquals(await client.command(base64("wrong")), "-ERR [AUTH] Authentication failed");
  await client.ended();
});
