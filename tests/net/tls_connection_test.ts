import { assert, assertEquals, assertRejects } from "@std/assert";
import tls from "node:tls";
import { readCertificateFiles } from "../../lib/net/certificate_files.ts";
import type { Connection } from "../../lib/contracts/connection.ts";
import { acceptProxied } from "../../lib/net/proxy_protocol.ts";
import { SecureContexts } from "../../lib/net/secure_contexts.ts";
import { HandshakeError } from "../../lib/contracts/connection.ts";
import { acceptTls } from "../../lib/net/tls_connection.ts";
import { type IssuedCertificate, testAuthority } from "../support/certificates.ts";
import { connectedPair, RawConnection, readAll, writeAll } from "./raw_connection.ts";

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const authority = await testAuthority();
const leaf = await authority.issue("localhost");
const other = await authority.issue("mail.example.org", { algorithm: "rsa" });
const contexts = await contextsOf([leaf]);
addEventListener("unload", () => Deno.removeSync(authority.folder, { recursive: true }));

async function contextsOf(
  issued: readonly IssuedCertificate[],
  minVersion?: "TLSv1.2" | "TLSv1.3",
): Promise<SecureContexts> {
  const materials = await readCertificateFiles(
    issued.map(({ chain, key }) => ({ kind: "pem", chain, key })),
  );
  return new SecureContexts(materials, minVersion === undefined ? {} : { minVersion });
}

/** A TLS client over node's own socket, and the server's connection. */
async function securePair(
  options: tls.ConnectionOptions = {},
  set: SecureContexts = contexts,
): Promise<{ client: tls.TLSSocket; server: Connection; clientError: () => Error | undefined }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = tls.connect({
    host: "127.0.0.1",
    port: (listener.addr as Deno.NetAddr).port,
    servername: "localhost",
    ca: authority.ca,
    allowHalfOpen: true,
    ...options,
  } as tls.ConnectionOptions);
  let error: Error | undefined;
  client.on("error", (e) => error = e);
  const raw = new RawConnection(await listener.accept());
  listener.close();
  const ready = new Promise<void>((resolve) => {
    client.once("secureConnect", resolve);
    client.once("close", () => resolve());
  });
  const server = await acceptTls(raw, { contexts: set, handshakeTimeout: 60_000 });
  await ready;
  return { client, server, clientError: () => error };
}

for (const version of ["1_2", "1_3"]) {
  Deno.test(`tls connection serves openssl over TLS ${version}`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const child = new Deno.Command("openssl", {
      // deno-fmt-ignore
      args: [
        "s_client", "-connect", `127.0.0.1:${port}`, `-tls${version}`, "-quiet",
        "-CAfile", `${authority.folder}/ca.pem`, "-verify_return_error", "-verify_hostname", "localhost",
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const raw = new RawConnection(await listener.accept());
    listener.close();
    using server = await acceptTls(raw, { contexts, handshakeTimeout: 60_000 });
    await writeAll(server, encode("+OK ready\r\n"));
    const writer = child.stdin.getWriter();
    await writer.write(encode("HELLO\n"));
    const buffer = new Uint8Array(100);
    const n = await server.read(buffer) ?? 0;
    await writeAll(server, encode(`+OK ${decode(buffer.subarray(0, n))}`));
    await server.closeWrite();
    await writer.close();
    const { stdout } = await child.output();
    assertEquals(decode(stdout), "+OK ready\r\n+OK HELLO\n");
  });
}

Deno.test("tls connection tells version, cipher, name, peer", async () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const { client, server } = await securePair({ maxVersion: version });
    assertEquals(server.tls?.version, version);
    assertEquals(server.tls?.serverName, "localhost");
    assert(/^TLS_/.test(server.tls?.cipher ?? ""), server.tls?.cipher);
    assertEquals(server.peer, { address: "127.0.0.1", port: client.localPort ?? 0 });
    server[Symbol.dispose]();
    client.destroy();
  }
});

Deno.test("tls connection carries much both ways at once, whole and in order", async () => {
  const { client, server } = await securePair();
  const sample = new Uint8Array(3_000_001);
  for (let i = 0; i < sample.length; i++) sample[i] = i * 31 + (i >> 8);
  const back: Uint8Array[] = [];
  client.on("data", (part: Uint8Array) => back.push(part));
  const ended = new Promise((resolve) => client.on("end", resolve));
  client.end(sample);
  const [got] = await Promise.all([
    readAll(server),
    writeAll(server, sample).then(() => server.closeWrite()),
    ended,
  ]);
  assertEquals(got.length, sample.length);
  assert(got.every((octet, i) => octet === sample[i]));
  const all = new Uint8Array(await new Blob(back as BlobPart[]).arrayBuffer());
  assert(all.length === sample.length && all.every((octet, i) => octet === sample[i]));
  server[Symbol.dispose]();
  client.destroy();
});

Deno.test("tls connection gives few octets to a small buffer and keeps the rest", async () => {
  const { client, server } = await securePair();
  client.end("abcdefghij");
  const small = new Uint8Array(3);
  let text = "";
  for (let n = await server.read(small); n !== null; n = await server.read(small)) {
    assert(n > 0 && n <= 3);
    text += decode(small.subarray(0, n));
  }
  assertEquals(text, "abcdefghij");
  assertEquals(await server.read(small), null);
  server[Symbol.dispose]();
  client.destroy();
});

Deno.test("tls connection writes on after the client's close_notify, and says its own", async () => {
  const { client, server } = await securePair();
  client.end("QUIT\r\n");
  assertEquals(decode(await readAll(server)), "QUIT\r\n");
  const answer = new Promise<string>((resolve) => {
    let text = "";
    client.setEncoding("utf8");
    client.on("data", (part) => text += part);
    client.on("end", () => resolve(text));
  });
  await writeAll(server, encode("+OK bye\r\n"));
  await server.closeWrite();
  assertEquals(await answer, "+OK bye\r\n");
  server[Symbol.dispose]();
  client.destroy();
});

Deno.test("tls connection that is closed and disposed at once still ends with close_notify", async () => {
  for (let round = 0; round < 20; round++) {
    const { client: plain, server: raw } = await connectedPair();
    const [server, client] = await Promise.all([
      acceptTls(raw, { contexts, handshakeTimeout: 60_000 }),
      startedTls(plain),
    ]);
    await writeAll(server, encode("+OK bye\r\n"));
    await server.closeWrite();
    server[Symbol.dispose]();
    // Deno's client throws where the end comes without close_notify, since someone else could have cut it.
    assertEquals(decode(await readAll(client)), "+OK bye\r\n");
    client.close();
  }
});

Deno.test("tls connection waits with its writes while the client does not read", async () => {
  const { client: plain, server: raw } = await connectedPair();
  const [server, client] = await Promise.all([
    acceptTls(raw, { contexts, handshakeTimeout: 60_000 }),
    startedTls(plain),
  ]);
  const block = new Uint8Array(256 * 1024);
  let taken = 0;
  const pump = (async () => {
    while (taken < 1 << 28) taken += await server.write(block);
  })().then(() => "all was taken", () => "rejected");
  await atRest(() => taken);
  assert(taken < 1 << 26, `${taken} octets were taken from a client that reads none`);
  server[Symbol.dispose]();
  assertEquals(await pump, "rejected");
  client.close();
});

Deno.test("tls connection takes no more than a buffer from a client that floods it unread", async () => {
  const { client, server } = await securePair();
  let sent = 0;
  const block = new Uint8Array(65536);
  const flood = (): void => {
    if (!client.destroyed) {
      client.write(block, (error) => error ? undefined : (sent += block.length, flood()));
    }
  };
  flood();
  await atRest(() => sent);
  assert(sent < 1 << 26, `${sent} octets were accepted that nobody asked for`);
  server[Symbol.dispose]();
  client.destroy();
});

Deno.test("tls connection disposed makes what is pending reject and gives the descriptor back", async () => {
  const { client: plain, server: raw } = await connectedPair();
  const [server, client] = await Promise.all([
    acceptTls(raw, { contexts, handshakeTimeout: 60_000 }),
    startedTls(plain),
  ]);
  const pending = server.read(new Uint8Array(10));
  server[Symbol.dispose]();
  await assertRejects(() => pending, Error, "closed by the server");
  await assertRejects(() => server.read(new Uint8Array(1)));
  await assertRejects(() => server.write(new Uint8Array(1)));
  assert(raw.closed);
  client.close();
});

Deno.test("tls connection rejects a read when the client resets", async () => {
  const { client, server } = await securePair();
  const pending = server.read(new Uint8Array(10)).then((n) => n, () => "rejected");
  client.destroy();
  const outcome = await pending;
  assert(outcome === null || outcome === "rejected");
  server[Symbol.dispose]();
});

Deno.test("tls connection begins where STLS's answer ended, however early the ClientHello comes", async () => {
  for (let round = 0; round < 20; round++) {
    const { client: plain, server: raw } = await connectedPair();
    const line = new Uint8Array(512);
    const serving = (async () => {
      const n = await raw.read(line) ?? 0;
      assertEquals(decode(line.subarray(0, n)), "STLS\r\n");
      await writeAll(raw, encode("+OK begin\r\n"));
      // A slow server: the client's first flight waits in the socket meanwhile.
      if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return await acceptTls(raw, { contexts, handshakeTimeout: 60_000 });
    })();
    await plain.write(encode("STLS\r\n"));
    const n = await plain.read(line) ?? 0;
    assertEquals(decode(line.subarray(0, n)), "+OK begin\r\n");
    const client = await Deno.startTls(plain, { hostname: "localhost", caCerts: [authority.ca] });
    await client.write(encode("CAPA\r\n"));
    const server = await serving;
    const m = await server.read(line) ?? 0;
    assertEquals(decode(line.subarray(0, m)), "CAPA\r\n");
    server[Symbol.dispose]();
    client.close();
  }
});

Deno.test("tls handshake has a deadline at each stage, and gives the descriptor back", async () => {
  const hello = await clientHello();
  for (const part of [0, 1, 5, 60, hello.length - 1, hello.length]) {
    const { client, server: raw } = await connectedPair();
    await client.write(hello.subarray(0, part));
    await assertRejects(
      () => acceptTls(raw, { contexts, handshakeTimeout: 60 }),
      HandshakeError,
      "longer than 60 ms",
    );
    assert(raw.closed);
    client.close();
  }
});

Deno.test("tls handshake that the client leaves at each stage fails that connection alone", async () => {
  const hello = await clientHello();
  for (const part of [0, 1, 5, 60, hello.length - 1, hello.length]) {
    for (const reset of [false, true]) {
      const { client, server: raw } = await connectedPair();
      await client.write(hello.subarray(0, part));
      const refused = assertRejects(
        () => acceptTls(raw, { contexts, handshakeTimeout: 60_000 }),
        HandshakeError,
      );
      if (reset) client.close();
      else await client.closeWrite();
      await refused;
      assert(raw.closed);
      if (!reset) client.close();
    }
  }
  const { client, server } = await securePair();
  server[Symbol.dispose]();
  client.destroy();
});

Deno.test("tls handshakes that stop half-way keep nobody else waiting", async () => {
  const hello = await clientHello();
  const stalled = await Promise.all(Array.from({ length: 200 }, async (_, index) => {
    const { client, server } = await connectedPair();
    await client.write(hello.subarray(0, index % hello.length));
    const outcome = acceptTls(server, { contexts, handshakeTimeout: 1500 })
      .then(() => "done", () => "refused");
    return { client, server, outcome };
  }));
  const began = performance.now();
  const { client, server } = await securePair();
  assert(performance.now() - began < 1000);
  server[Symbol.dispose]();
  client.destroy();
  for (const one of stalled) {
    assertEquals(await one.outcome, "refused");
    assert(one.server.closed);
    one.client.close();
  }
});

Deno.test("tls comes behind a PROXY header, in one segment with it too", async () => {
  const { client: plain, server: raw } = await connectedPair();
  const header = encode("PROXY TCP4 192.0.2.7 198.51.100.1 56324 995\r\n");
  const together = new Uint8Array([...header, ...await clientHello()]);
  await plain.write(together);
  const proxied = await acceptProxied(raw, { timeout: 60_000 });
  assertEquals(proxied.peer.address, "192.0.2.7");
  const accepting = acceptTls(proxied, { contexts, handshakeTimeout: 60_000 }).then(
    () => {},
    () => {},
  );
  // The hello was another client's; that it is answered with a record of the handshake shows that it arrived.
  const answer = new Uint8Array(1);
  await plain.read(answer);
  assertEquals(answer[0], 22);
  plain.close();
  await accepting;

  const { client: next, server } = await connectedPair();
  await next.write(header);
  const [connection, client] = await Promise.all([
    acceptProxied(server, { timeout: 60_000 })
      .then((behind) => acceptTls(behind, { contexts, handshakeTimeout: 60_000 })),
    startedTls(next),
  ]);
  assertEquals([connection.peer.address, connection.tls?.serverName], ["192.0.2.7", "localhost"]);
  connection[Symbol.dispose]();
  client.close();
});

Deno.test("tls handshake with what is no TLS fails with a sentence", async () => {
  for (
    const words of ["USER a\r\nPASS b\r\n", "\x16\x03\x01\xff\xffgarbage", "\x80\x2e\x01\x03\x01"]
  ) {
    const { client, server: raw } = await connectedPair();
    await client.write(Uint8Array.from(words, (c) => c.charCodeAt(0)));
    await assertRejects(
      () => acceptTls(raw, { contexts, handshakeTimeout: 2000 }),
      HandshakeError,
      "TLS handshake",
    );
    assert(raw.closed);
    client.close();
  }
});

Deno.test("tls chooses the certificate by the name that the client asks for", async () => {
  const set = await contextsOf([leaf, other]);
  const asked: [string, string][] = [
    ["localhost", "localhost"],
    ["mail.example.org", "mail.example.org"],
    ["MAIL.example.ORG", "mail.example.org"],
    ["unknown.example", "localhost"],
  ];
  for (const [servername, expected] of asked) {
    const { client, server } = await securePair({ servername, rejectUnauthorized: false }, set);
    assertEquals(client.getPeerCertificate().subject.CN, expected, servername);
    server[Symbol.dispose]();
    client.destroy();
  }
});

Deno.test("tls keeps its lowest version also in a context that was chosen by name", async () => {
  const strict = await contextsOf([leaf, other], "TLSv1.3");
  for (const servername of ["localhost", "mail.example.org", "unknown.example"]) {
    await assertRejects(
      () => securePair({ servername, maxVersion: "TLSv1.2", rejectUnauthorized: false }, strict),
      HandshakeError,
    );
    const { client, server } = await securePair({ servername, rejectUnauthorized: false }, strict);
    assertEquals(server.tls?.version, "TLSv1.3");
    server[Symbol.dispose]();
    client.destroy();
  }
});

Deno.test("Deno loses the lowest version when SNICallback gives a context without one", async () => {
  // This is why SecureContexts sets it on each context. When this test fails, Deno was mended, and nothing is lost.
  const [cert, key] = [Deno.readTextFileSync(leaf.chain), Deno.readTextFileSync(leaf.key)];
  const careless = tls.createSecureContext({ cert, key });
  const server = tls.createServer({
    cert,
    key,
    minVersion: "TLSv1.3",
    SNICallback: (_name, done) => done(null, careless),
  }, (socket) => {
    socket.on("error", () => {});
    socket.end();
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const agreed = await new Promise<string | null>((resolve) => {
    const client = tls.connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: authority.ca,
      maxVersion: "TLSv1.2",
    }, () => {
      resolve(client.getProtocol());
      client.destroy();
    });
    client.on("error", () => resolve(null));
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  assertEquals(agreed, "TLSv1.2");
});

Deno.test("tls refuses versions before 1.2", async () => {
  const { client, server: raw } = await connectedPair();
  // A ClientHello of TLS 1.0 with one cipher suite (RFC 2246, section 7.4.1.2).
  const body = [3, 1, ...new Array(32).fill(7), 0, 0, 2, 0, 0x2f, 1, 0];
  const head = [22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length];
  await client.write(new Uint8Array([...head, ...body]));
  await assertRejects(
    () => acceptTls(raw, { contexts, handshakeTimeout: 2000 }),
    HandshakeError,
  );
  client.close();
});

/** Waits until a figure stands still. Where a busy machine makes it stand still earlier, it is smaller, and stays below its bound all the more. */
async function atRest(figure: () => number): Promise<void> {
  let before = -1;
  while (before !== figure()) {
    before = figure();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function startedTls(plain: Deno.TcpConn): Promise<Deno.TlsConn> {
  const client = await Deno.startTls(plain, { hostname: "localhost", caCerts: [authority.ca] });
  await client.handshake();
  return client;
}

/** The first flight of a real client. */
async function clientHello(): Promise<Uint8Array<ArrayBuffer>> {
  const { client, server: raw } = await connectedPair();
  const starting = Deno.startTls(client, { hostname: "localhost", caCerts: [authority.ca] })
    .then((c) => c.handshake().catch(() => c.close()));
  const buffer = new Uint8Array(4096);
  const n = await raw.read(buffer) ?? 0;
  raw[Symbol.dispose]();
  await starting;
  return buffer.slice(0, n);
}
