// With a certificate, a mail program must not be asked to send its password where others can read it (RFC 4616, section 6; two
// clients show SECURITY PROBLEM); USER and PASS stay for the oldest of them until --require-tls.
import { assert, assertEquals } from "@std/assert";
import { Pop3Client } from "../support/pop3_client.ts";
import { base64, pour, type Stage, type StageOptions, startStage, USERS } from "./stage.ts";

const PROXIED = ["--proxy-protocol", "127.0.0.1/32"];
const FAR = "192.0.2.7";
const MESSAGE = base64(`\0bob\0${USERS.bob}`);

async function connect(stage: Stage, address: string): Promise<Pop3Client> {
  const client = await Pop3Client.connect({ port: stage.program.port() });
  await client.send(`PROXY TCP4 ${address} 127.0.0.1 4000 110\r\n`);
  await client.line();
  return client;
}

/** What CAPA says of logins. */
async function offered(client: Pop3Client): Promise<string> {
  await client.ok("CAPA");
  return (await client.list()).filter((line) => /^(SASL|USER)\b/.test(line)).join(", ");
}

/** What is offered in clear, and how AUTH PLAIN and PASS are answered there. */
async function inClear(options: StageOptions, address: string): Promise<string[]> {
  await using stage = await startStage({ ...options, flags: [...PROXIED, ...options.flags ?? []] });
  using client = await connect(stage, address);
  const answers = [await offered(client), await client.command(`AUTH PLAIN ${MESSAGE}`)];
  if (answers[1]?.startsWith("+OK")) return answers;
  await client.ok("AUTH");
  answers.push((await client.list()).join(" "), await client.command("USER bob"));
  answers.push(await client.command(`PASS ${USERS.bob}`));
  return answers;
}

const ALL = "USER, SASL SCRAM-SHA-256 PLAIN LOGIN";
const LOGGED_IN = "+OK 1 messages (300 octets)";

Deno.test("clear logins: with a certificate, PLAIN and LOGIN wait for TLS, and USER does not", async () => {
  assertEquals(await inClear({}, FAR), [
    "USER, SASL SCRAM-SHA-256",
    "-ERR TLS is required for logins, say STLS first",
    "SCRAM-SHA-256",
    "+OK send PASS",
    LOGGED_IN,
  ]);
});

Deno.test("clear logins: PLAIN and LOGIN are offered in clear to loopback, named networks, and where there is no TLS", async () => {
  assertEquals(await inClear({}, "127.0.0.1"), [ALL, LOGGED_IN]);
  assertEquals(await inClear({ flags: ["--cleartext-networks", "192.0.2.0/24"] }, FAR), [
    ALL,
    LOGGED_IN,
  ]);
  assertEquals(await inClear({ tls: false }, FAR), [ALL, LOGGED_IN]);
});

Deno.test("clear logins: outside --cleartext-networks and under --require-tls there are none", async () => {
  for (const flags of [["--cleartext-networks", "198.51.100.0/24"], ["--require-tls"]]) {
    const answers = await inClear({ flags }, FAR);
    assertEquals([answers[0], answers[2]], ["", ""], flags.join(" "));
    for (const answer of [answers[1], ...answers.slice(3)]) {
      assert(answer?.startsWith("-ERR TLS is required"), answer);
    }
  }
});

Deno.test("clear logins: behind STLS all mechanisms are offered", async () => {
  await using stage = await startStage({ flags: PROXIED });
  const conn = await stage.raw();
  await pour(conn, `PROXY TCP4 ${FAR} 127.0.0.1 4000 110\r\n`);
  const answer = new Uint8Array(512);
  await conn.read(answer);
  await pour(conn, "STLS\r\n");
  await conn.read(answer);
  using client = await stage.secured(conn);
  assertEquals(await offered(client), ALL);
  assertEquals(await client.command(`AUTH PLAIN ${MESSAGE}`), LOGGED_IN);
});
