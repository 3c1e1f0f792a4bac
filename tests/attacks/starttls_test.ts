// STLS: what was said in clear must not count under TLS (CVE-2021-33515, CVE-2021-38084, CVE-2022-28220).
import { assert, assertEquals } from "@std/assert";
import { drain, pour, startStage, USERS } from "./stage.ts";

const decode = (octets: Uint8Array): string => new TextDecoder("latin1").decode(octets);

/** Reads one line octet by octet, so that nothing behind it is taken from the handshake. */
async function line(conn: Deno.TcpConn): Promise<string> {
  let text = "";
  const octet = new Uint8Array(1);
  while (!text.endsWith("\r\n")) {
    if (await conn.read(octet) === null) throw new Error(`The connection ended behind ${text}`);
    text += decode(octet);
  }
  return text.slice(0, -2);
}

Deno.test("STARTTLS: commands behind STLS are never obeyed, not in clear and not under TLS", async (t) => {
  await using stage = await startStage();
  const said = new Map([
    ["a command", "CAPA\r\n"],
    ["half a command", "QUI"],
    ["a login", `USER alice\r\nPASS ${USERS.alice}\r\n`],
    ["an over-long line without its end", "X".repeat(400)],
    ["two more STLS", "STLS\r\nSTLS\r\n"],
  ]);
  for (const [what, injected] of said) {
    await t.step(`${what} in the same segment`, async () => {
      const conn = await stage.raw();
      await line(conn);
      await pour(conn, `STLS\r\n${injected}`);
      assertEquals(await line(conn), "+OK Begin TLS negotiation");
      using client = await stage.secured(conn);
      // Under TLS the first answer is the one to the first command that was said there.
      assertEquals(await client.command("NOOP"), "+OK");
      assertEquals(await client.command("STAT"), "-ERR Log in first");
      assertEquals(await client.command("QUIT"), "+OK bye");
      await client.ended();
    });
    await t.step(`${what} in a later segment`, async () => {
      using conn = await stage.raw();
      await line(conn);
      await pour(conn, "STLS\r\n");
      assertEquals(await line(conn), "+OK Begin TLS negotiation");
      // What comes now is read as a handshake, and is none.
      await pour(conn, injected);
      await conn.closeWrite().catch(() => {});
      const rest = decode(await drain(conn));
      assert(!/\+OK|-ERR/.test(rest), JSON.stringify(rest));
    });
  }
  await stage.serves();
});

Deno.test("STARTTLS: nothing that was said in clear is remembered under TLS", async () => {
  await using stage = await startStage({ flags: ["--max-bad-commands", "3"] });
  const conn = await stage.raw();
  await line(conn);
  await pour(conn, "USER alice\r\nUTF8\r\nLANG en\r\nNONSENSE\r\nNONSENSE\r\nSTLS\r\n");
  for (const expected of ["+OK", "+OK", "+OK", "-ERR", "-ERR", "+OK"]) {
    assertEquals((await line(conn)).split(" ")[0], expected);
  }
  using client = await stage.secured(conn);
  assertEquals(await client.command(`PASS ${USERS.alice}`), "-ERR Send USER first");
  assertEquals(
    await client.command("LANG xx"),
    "-ERR i-default Unknown language; LANG lists the known ones",
  );
  // The count of bad commands begins anew: two are allowed again.
  assertEquals(await client.command("NONSENSE"), "-ERR Unknown command");
  assertEquals(await client.command("NONSENSE"), "-ERR Unknown command");
  await client.ok("NOOP");
  assertEquals(await client.command("QUIT"), "+OK bye");
});

Deno.test("STARTTLS: the third failed login ends the session, wherever the others were", async () => {
  await using stage = await startStage();
  const conn = await stage.raw();
  await line(conn);
  await pour(conn, "USER alice\r\nPASS a\r\nUSER alice\r\nPASS b\r\nSTLS\r\n");
  for (const expected of ["+OK", "-ERR", "+OK", "-ERR", "+OK"]) {
    assertEquals((await line(conn)).split(" ")[0], expected);
  }
  using client = await stage.secured(conn);
  await client.ok("USER alice");
  assertEquals(await client.command("PASS c"), "-ERR [AUTH] Authentication failed");
  await client.ended();
});

Deno.test("STARTTLS: an exchange that was begun in clear does not go on under TLS", async () => {
  await using stage = await startStage();
  const conn = await stage.raw();
  await line(conn);
  await pour(conn, "AUTH PLAIN\r\n");
  assertEquals(await line(conn), "+ ");
  // The next line belongs to the exchange, so this is no STLS.
  await pour(conn, "STLS\r\n");
  assert((await line(conn)).startsWith("-ERR Malformed authentication"));
  await pour(conn, "STLS\r\n");
  assertEquals(await line(conn), "+OK Begin TLS negotiation");
  using client = await stage.secured(conn);
  assertEquals(
    await client.command(btoa(`\0alice\0${USERS.alice}`)),
    "-ERR Unknown command",
  );
  assertEquals(await client.command("QUIT"), "+OK bye");
});

Deno.test("STARTTLS: STLS twice, after login, on the secure port or with an argument is refused", async () => {
  await using stage = await startStage();
  const conn = await stage.raw();
  await line(conn);
  await pour(conn, "STLS now\r\n");
  assert((await line(conn)).startsWith("-ERR "));
  await pour(conn, "STLS\r\n");
  assertEquals(await line(conn), "+OK Begin TLS negotiation");
  using upgraded = await stage.secured(conn);
  assert((await upgraded.command("STLS")).startsWith("-ERR "));
  await upgraded.ok("CAPA");
  assert(!(await upgraded.list()).includes("STLS"));

  using implicit = await stage.connectTls();
  await implicit.line();
  assert((await implicit.command("STLS")).startsWith("-ERR "));

  using loggedIn = await stage.connect();
  await loggedIn.login("alice", USERS.alice);
  assert((await loggedIn.command("STLS")).startsWith("-ERR "));
  await loggedIn.ok("CAPA");
  assert(!(await loggedIn.list()).includes("STLS"));
  assert((await loggedIn.ok("STAT")).startsWith("+OK 3 "));
});

Deno.test("STARTTLS: under --require-tls no credentials are taken in clear, and CAPA says so", async () => {
  await using stage = await startStage({ flags: ["--require-tls", "--apop"] });
  using client = await stage.connect();
  await client.line();
  await client.ok("CAPA");
  const offered = await client.list();
  assert(!offered.some((line) => /^(USER|SASL)/.test(line)), offered.join(", "));
  assert(offered.includes("STLS"));
  for (
    const attempt of [
      "USER alice",
      `PASS ${USERS.alice}`,
      "AUTH PLAIN",
      `AUTH PLAIN ${btoa(`\0alice\0${USERS.alice}`)}`,
      "AUTH SCRAM-SHA-256",
      "APOP alice c4c9334bac560ecc979e58001b3e22fb",
    ]
  ) {
    assertEquals(
      await client.command(attempt),
      "-ERR TLS is required for logins, say STLS first",
      attempt,
    );
  }
  using secure = await stage.connectTls();
  await secure.login("alice", USERS.alice);
});
