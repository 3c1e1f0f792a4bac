/**
 * Twenty wrong passwords from loopback (a webmail, a proxy without PROXY headers, a test suite) shut out everybody on the machine, the
 * administrator among them, so that UNBAN could not be said. No setting turned bans off, and no network could be trusted.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Stage, startStage, USERS } from "../attacks/stage.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { runProgram } from "../support/program.ts";

const REFUSED = "-ERR [AUTH] Authentication failed";
const BANNED = "-ERR [AUTH] Too many failed logins, try again later";
const ADMIN = ["--admin", "root:toor"];

/** Fails so often, each time with another password. */
async function guess(stage: Stage, times: number, user = "alice"): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    using client = await stage.connect();
    await client.line();
    await client.ok(`USER ${user}`);
    assertEquals(await client.command(`PASS guess ${turn}`), REFUSED);
  }
}

async function logIn(stage: Stage, user: keyof typeof USERS): Promise<string> {
  using client = await stage.connect();
  const greeting = await client.line();
  if (!greeting.startsWith("+OK")) return greeting;
  await client.ok(`USER ${user}`);
  const answer = await client.command(`PASS ${USERS[user]}`);
  if (answer.startsWith("+OK")) await leave(client);
  return answer;
}

async function leave(client: Pop3Client): Promise<void> {
  await client.ok("QUIT");
  await client.ended();
}

async function manage(stage: Stage, ...command: string[]): Promise<{ code: number; said: string }> {
  const port = `${stage.program.port("msmp")}`;
  const { code, stdout, stderr } = await runProgram(
    ["admin", "-p", port, "-u", "root:toor", ...command],
  );
  return { code, said: `${stdout}${stderr}`.trim() };
}

Deno.test("a ban of loopback leaves the administrator in, who lifts it", async () => {
  await using stage = await startStage({ tls: false, flags: ADMIN });
  await guess(stage, 20);
  assertEquals(await logIn(stage, "bob"), BANNED);
  const { code, said } = await manage(stage, "bans");
  assertEquals(code, 0, said);
  assertStringIncludes(said, "127.0.0.1");
  assertEquals(await manage(stage, "unban", "127.0.0.1"), { code: 0, said: "Unbanned" });
  assert((await logIn(stage, "bob")).startsWith("+OK"));
});

Deno.test("a ban of loopback lets users in who were there before, and nobody else", async () => {
  await using stage = await startStage({ tls: false, flags: ADMIN });
  assert((await logIn(stage, "bob")).startsWith("+OK"));
  await guess(stage, 20, "alice");
  assert((await logIn(stage, "bob")).startsWith("+OK"));
  assertEquals(await logIn(stage, "alice"), REFUSED);
  await guess(stage, 20, "bob");
  assertEquals(await logIn(stage, "bob"), REFUSED);
  const { said } = await manage(stage, "bans");
  assertStringIncludes(said, "bob from 127.0.0.1");
  await manage(stage, "unban", "bob");
  assert((await logIn(stage, "bob")).startsWith("+OK"));
  const lines = stage.program.log.filter(({ message }) => message.startsWith("Banned until"));
  assertEquals(lines.length, 2, "a line per ban");
});

Deno.test("guesses at the administrator from this machine slow down, and never keep the right password out", async () => {
  await using stage = await startStage({ tls: false, flags: ADMIN });
  const attempt = async (password: string): Promise<string> => {
    using client = await Pop3Client.connect({ port: stage.program.port("msmp") });
    await client.line();
    await client.ok("USER root");
    return await client.command(`PASS ${password}`);
  };
  for (let turn = 0; turn < 22; turn++) {
    assertEquals(await attempt(`guess ${turn}`), "-ERR Invalid credentials");
  }
  const begun = performance.now();
  for (let turn = 0; turn < 2; turn++) await attempt(`more ${turn}`);
  assert(performance.now() - begun > 900, "one is checked per second by now");
  assertEquals(await attempt("toor"), "+OK Logged in");
  // Nor does it count for users.
  assert((await logIn(stage, "bob")).startsWith("+OK"));
});

Deno.test("a trusted network is never banned, a user is there", async () => {
  await using stage = await startStage({
    tls: false,
    flags: [...ADMIN, "--trusted-networks", "127.0.0.0/8"],
  });
  await guess(stage, 15, "nobody");
  await guess(stage, 25, "alice");
  assert((await logIn(stage, "bob")).startsWith("+OK"));
  assertEquals(await logIn(stage, "alice"), REFUSED);
});

Deno.test("the numbers of the guard are settings, and 0 turns bans off at once", async () => {
  await using stage = await startStage({ tls: false, flags: [...ADMIN, "--ban-failures", "3"] });
  await guess(stage, 3);
  assertEquals(await logIn(stage, "bob"), BANNED);
  assertEquals((await manage(stage, "set", "ban", "failures", "0")).code, 0);
  assert((await logIn(stage, "bob")).startsWith("+OK"));
  await guess(stage, 30);
  assert((await logIn(stage, "bob")).startsWith("+OK"));
  assertEquals((await manage(stage, "set", "ban_time", "soon")).code, 1);
  assertEquals(await manage(stage, "get", "ban_window"), { code: 0, said: "600" });
});

Deno.test("an administrator bans by order: an address, a network, a user", async () => {
  await using stage = await startStage({
    tls: false,
    flags: [...ADMIN, "--proxy-protocol", "127.0.0.1/32"],
  });
  const from = async (address: string, user: keyof typeof USERS): Promise<string> => {
    using client = await stage.connect();
    await client.send(`PROXY TCP4 ${address} 127.0.0.1 4000 110\r\n`);
    const greeting = await client.line();
    if (!greeting.startsWith("+OK")) return greeting;
    await client.ok(`USER ${user}`);
    const answer = await client.command(`PASS ${USERS[user]}`);
    if (answer.startsWith("+OK")) await leave(client);
    return answer;
  };
  const { code, said } = await manage(stage, "ban", "203.0.113.0/24", "60");
  assertEquals(code, 0, said);
  assert(said.startsWith("Banned 203.0.113.0/24 until "), said);
  assertEquals(await from("203.0.113.9", "bob"), BANNED);
  assert((await from("198.51.100.9", "bob")).startsWith("+OK"));
  assertEquals((await manage(stage, "ban", "bob")).code, 0);
  assertEquals(await from("198.51.100.9", "bob"), REFUSED);
  assert((await from("198.51.100.9", "alice")).startsWith("+OK"));
  assertEquals((await manage(stage, "ban", "203.0.113.999")).code, 1);
  assertEquals((await manage(stage, "ban", "bob", "0")).code, 1);
  for (const subject of ["bob", "203.0.113.0/24"]) {
    assertEquals(await manage(stage, "unban", subject), { code: 0, said: "Unbanned" });
  }
  assert((await from("203.0.113.9", "bob")).startsWith("+OK"));
  const audit = stage.program.log.filter(({ message }) => message.includes(": BAN "));
  assertEquals(audit.length, 2);
});

Deno.test("one wrong password a hundred times a second is banned", async () => {
  await using stage = await startStage({ tls: false, flags: ADMIN });
  let turn = 0;
  for (; turn < 200; turn++) {
    using client = await stage.connect();
    if (await client.line() === BANNED) break;
    await client.ok("USER alice");
    assertEquals(await client.command("PASS wrong"), REFUSED);
  }
  assert(turn > 60 && turn < 100, `${turn}`);
});
