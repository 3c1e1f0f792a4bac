// Half a TLS handshake harms nobody, at whatever stage it stops (CVE-2015-3420).
import { assert, assertEquals } from "@std/assert";
import tls from "node:tls";
import { eventually } from "../support/waiting.ts";
import { drain, heavy, pour, type Stage, startStage, USERS } from "./stage.ts";

const HALF_OPEN = heavy ? 1000 : 300;

/** A real ClientHello, taken from a client that talks into the void. */
async function clientHello(): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = tls.connect({ host: "127.0.0.1", port: listener.addr.port });
  client.on("error", () => {});
  using conn = await listener.accept();
  const buffer = new Uint8Array(4096);
  const octets = await conn.read(buffer);
  client.destroy();
  return buffer.slice(0, octets ?? 0);
}

async function stls(stage: Stage): Promise<Deno.TcpConn> {
  const conn = await stage.raw();
  const buffer = new Uint8Array(512);
  await conn.read(buffer);
  await pour(conn, "STLS\r\n");
  await conn.read(buffer);
  return conn;
}

Deno.test("handshake: an abort at each stage harms nobody, on the secure port and behind STLS", async () => {
  await using stage = await startStage();
  const hello = await clientHello();
  assert(hello.length > 100, "a ClientHello was expected");
  const wrongVersion = hello.slice();
  wrongVersion.set([3, 0], 9);
  const openings = new Map<string, Uint8Array>([
    ["nothing", new Uint8Array()],
    ["one octet", hello.subarray(0, 1)],
    ["the head of a record", hello.subarray(0, 5)],
    ["half a ClientHello", hello.subarray(0, hello.length >> 1)],
    ["a ClientHello but for its last octet", hello.subarray(0, -1)],
    ["a whole ClientHello", hello],
    ["two of them", new Uint8Array([...hello, ...hello])],
    ["a ClientHello and rubbish", new Uint8Array([...hello, ...new Uint8Array(20_000).fill(0xff)])],
    ["SSL 3's version", wrongVersion],
    ["an alert", new Uint8Array([21, 3, 3, 0, 2, 2, 40])],
    ["a record that says it is 65535 octets long", new Uint8Array([22, 3, 1, 255, 255, 1])],
    ["plain POP3", new TextEncoder().encode("CAPA\r\nQUIT\r\n")],
    ["zeros", new Uint8Array(70_000)],
  ]);
  for (const [what, octets] of openings) {
    for (const open of [() => stage.raw("pop3s"), () => stls(stage)]) {
      // Left in order, so that the server sees an end behind what was said …
      const orderly = await open();
      await pour(orderly, octets);
      await orderly.closeWrite().catch(() => {});
      const answer = new TextDecoder("latin1").decode(await drain(orderly));
      assert(!/\+OK|-ERR/.test(answer), `${what}: ${JSON.stringify(answer)}`);
      orderly.close();
      // … and left at once.
      const rude = await open();
      await pour(rude, octets);
      rude.close();
    }
  }
  await stage.serves();
  using client = await stage.connectTls();
  await client.login("alice", USERS.alice);
});

Deno.test("handshake: those that stop in its middle are ended by a deadline and slow nobody", async () => {
  await using stage = await startStage({ flags: ["--max-connections", "5000"] });
  const hello = await clientHello();
  const usual = await middle(stage);
  const before = await stage.memory();
  const opened = performance.now();
  const halves = await Promise.all(
    Array.from({ length: HALF_OPEN }, async (_, index) => {
      const conn = await stage.raw("pop3s");
      await pour(conn, index % 2 === 0 ? hello : hello.subarray(0, index % hello.length));
      return conn;
    }),
  );
  const meanwhile = await middle(stage);
  assert(
    meanwhile < 2 * usual + 20,
    `a session took ${meanwhile.toFixed()} ms beside them and ${usual.toFixed()} ms before`,
  );
  const grown = await stage.memory() - before;
  assert(
    grown < HALF_OPEN * 0.25 + 50,
    `${grown.toFixed()} MiB more for ${HALF_OPEN} half handshakes`,
  );
  await Promise.all(halves.map((conn) => drain(conn)));
  const lasted = performance.now() - opened;
  assert(lasted > 10_000 && lasted < 90_000, `they lasted ${lasted.toFixed()} ms`);
  for (const conn of halves) conn.close();
  await stage.serves();
});

async function middle(stage: Stage): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < 15; index++) times.push(await stage.serves());
  return times.sort((one, other) => one - other)[7]!;
}

Deno.test("handshake: versions before TLS 1.2 are refused, and 1.2 and 1.3 are not", async () => {
  await using stage = await startStage();
  const port = stage.program.port("pop3s");
  const outcome = (version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3"): Promise<string | null> =>
    new Promise((resolve) => {
      try {
        const client = tls.connect({
          host: "127.0.0.1",
          port,
          ca: stage.ca,
          minVersion: version,
          maxVersion: version,
        } as tls.ConnectionOptions);
        client.once("secureConnect", () => {
          resolve(client.getProtocol());
          client.destroy();
        });
        client.once("error", () => resolve(null));
      } catch {
        // The runtime's own client has no older versions to offer; openssl is asked below.
        resolve(null);
      }
    });
  assertEquals(await outcome("TLSv1.2"), "TLSv1.2");
  assertEquals(await outcome("TLSv1.3"), "TLSv1.3");
  for (const version of ["-tls1", "-tls1_1"]) {
    const { stdout } = await new Deno.Command("openssl", {
      args: ["s_client", "-connect", `127.0.0.1:${port}`, version, "-cipher", "ALL:@SECLEVEL=0"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert(!said.includes("+OK") && !/Cipher is (?!\(NONE\))/.test(said), said);
  }
  await eventually("the handshakes being counted", () => stage.serves().then(() => true));
});

Deno.test("handshake: the log says why one failed, for each port that speaks TLS, once a minute", async () => {
  await using stage = await startStage({ flags: ["--admin", "root:toor"] });
  // TLS 1.0, with all that its ClientHello needs (RFC 2246, section 7.4.1.2).
  const body = [3, 1, ...new Array<number>(32).fill(7), 0, 0, 2, 0, 47, 1, 0];
  const old = new Uint8Array([22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length, ...body]);
  const management = async (): Promise<Deno.TcpConn> => {
    const conn = await stage.raw("msmp");
    const buffer = new Uint8Array(512);
    await conn.read(buffer);
    await pour(conn, "STLS\r\n");
    await conn.read(buffer);
    return conn;
  };
  for (const open of [() => stage.raw("pop3s"), () => stls(stage), management]) {
    using conn = await open();
    await pour(conn, old);
    await drain(conn);
  }
  const told = (): string[] =>
    stage.program.log.map(({ message }) => message).filter((message) => /handshake/.test(message));
  // POP3S and STLS are one, and told once.
  await eventually("two lines", () => told().length >= 2, () => stage.program.stderr);
  assertEquals(told(), [
    "TLS handshake failed: client offers TLS 1.0 only; last client 127.0.0.1",
    "TLS handshake failed: client offers TLS 1.0 only; last client 127.0.0.1",
  ]);
});
