/**
 * TLS measured: octets a second against Deno.listenTls, handshakes a second of processor time, memory of an idle
 * connection. Needs openssl. `deno run -A bench/micro/tls.ts [throughput|handshakes|memory] [rounds]`
 */

import { readCertificateFiles } from "../../lib/net/certificate_files.ts";
import { SecureContexts } from "../../lib/net/secure_contexts.ts";
import { TcpConnection } from "../../lib/net/tcp_connection.ts";
import { acceptTls } from "../../lib/net/tls_connection.ts";
import type { Connection } from "../../lib/contracts/connection.ts";
import { testAuthority } from "../../tests/support/certificates.ts";

const TOTAL = 512 * 1024 * 1024;
const say = (line: string): unknown => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
const [section, roundsText = "5"] = Deno.args;
const rounds = Number(roundsText);
const wants = (name: string): boolean => section === undefined || section === name;

await using authority = await testAuthority();
const { chain, key } = await authority.issue("localhost");
const contexts = new SecureContexts(await readCertificateFiles([{ kind: "pem", chain, key }]));
const accept = (conn: Deno.TcpConn): Promise<Connection> =>
  acceptTls(new TcpConnection(conn), { contexts, handshakeTimeout: 10_000 });

function sink(port: number): Deno.ChildProcess {
  return new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-quiet", "-servername", "localhost"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Sends TOTAL octets and tells MB/s. */
async function throughput(native: boolean, chunk: number): Promise<number> {
  const listener = native
    ? Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: Deno.readTextFileSync(chain),
      key: Deno.readTextFileSync(key),
    })
    : Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = sink((listener.addr as Deno.NetAddr).port);
  const conn = await listener.accept();
  const connection = native ? conn as Deno.TlsConn : await accept(conn as Deno.TcpConn);
  if (native) await (conn as Deno.TlsConn).handshake();
  const block = new Uint8Array(chunk).fill(65);
  const began = performance.now();
  for (let sent = 0; sent < TOTAL;) sent += await connection.write(block);
  const seconds = (performance.now() - began) / 1000;
  connection[Symbol.dispose]();
  listener.close();
  client.kill();
  await client.status;
  return TOTAL / 1e6 / seconds;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function compareThroughput(): Promise<void> {
  const columns: [string, boolean, number][] = [
    ["listenTls 64 KiB", true, 65536],
    ["listenTls 256 KiB", true, 262144],
    ["postern 64 KiB", false, 65536],
    ["postern 128 KiB", false, 131072],
    ["postern 256 KiB", false, 262144],
  ];
  const found = columns.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, [, native, chunk]] of columns.entries()) {
      found[index]?.push(await throughput(native, chunk));
    }
  }
  for (const [index, [name]] of columns.entries()) {
    say(`${name.padEnd(20)} ${median(found[index] ?? []).toFixed(0)} MB/s`);
  }
}

/** Processor seconds that this process has used. */
function processorSeconds(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function countHandshakes(): Promise<void> {
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = (listener.addr as Deno.NetAddr).port;
    const clients = [1, 2].map(() =>
      new Deno.Command("openssl", {
        args: ["s_time", "-connect", `127.0.0.1:${port}`, "-new", version, "-time", "3"],
        stdout: "null",
        stderr: "null",
      }).spawn().status
    );
    Promise.all(clients).then(() => listener.close());
    let handshakes = 0;
    const before = processorSeconds();
    try {
      for await (const conn of listener) {
        accept(conn).then(async (connection) => {
          handshakes++;
          await connection.read(new Uint8Array(1));
          connection[Symbol.dispose]();
        }).catch(() => {}); // openssl resets its connections, which is no fault here.
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    const rate = handshakes / (processorSeconds() - before);
    say(`handshakes ${version} ${rate.toFixed(0)} a second of processor time`);
  }
}

async function measureMemory(): Promise<void> {
  const COUNT = 500;
  const code = `const ca = Deno.readTextFileSync(Deno.args[1]); const open = [];
for (let i = 0; i < ${COUNT}; i++) {
  const c = await Deno.connectTls({ hostname: "localhost", port: +Deno.args[0], caCerts: [ca] });
  await c.handshake(); open.push(c);
}
Deno.stdin.readSync(new Uint8Array(1));`;
  const script = `${authority.folder}/client.ts`;
  Deno.writeTextFileSync(script, code);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (listener.addr as Deno.NetAddr).port;
  const client = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-config",
      script,
      String(port),
      `${authority.folder}/ca.pem`,
    ],
    stdin: "piped",
  }).spawn();
  const before = Deno.memoryUsage().rss;
  const open: Connection[] = [];
  while (open.length < COUNT) {
    const connection = await accept(await listener.accept());
    connection.read(new Uint8Array(512)).catch(() => {});
    open.push(connection);
  }
  const each = (Deno.memoryUsage().rss - before) / COUNT / 1000;
  say(`idle connection ${each.toFixed(1)} kB`);
  await client.stdin.close();
  await client.status;
  for (const connection of open) connection[Symbol.dispose]();
  listener.close();
}

if (wants("memory")) await measureMemory();
if (wants("handshakes")) await countHandshakes();
if (wants("throughput")) await compareThroughput();
