import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { acceptProxied, parseProxyHeader, ProxyHeaderError } from "../../lib/net/proxy_protocol.ts";
import { connectedPair, readAll } from "./raw_connection.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (c) => c.charCodeAt(0));
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const v2 = (command: number, family: number, body: readonly number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array([
    ...bytes(SIGNATURE),
    command,
    family,
    body.length >> 8,
    body.length & 255,
    ...body,
  ]);
const V4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0, 110];
const V6 = [
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[0xdc, 0x04, 3, 0xe3],
];

Deno.test("PROXY header of each version and family tells the client", () => {
  const from = { address: "192.0.2.7", port: 56324 };
  const cases: [Uint8Array, unknown][] = [
    [bytes("PROXY TCP4 192.0.2.7 198.51.100.1 56324 110\r\n"), from],
    [bytes("PROXY TCP6 2001:DB8::1 2001:db8::2 56324 995\r\n"), {
      address: "2001:db8::1",
      port: 56324,
    }],
    [bytes("PROXY TCP6 ::ffff:192.0.2.7 ::1 56324 995\r\n"), from],
    [bytes("PROXY UNKNOWN\r\n"), undefined],
    [bytes("PROXY UNKNOWN ffff::1 what ever 1 2\r\n"), undefined],
    [v2(0x21, 0x11, V4), from],
    [v2(0x21, 0x11, [...V4, 4, 0, 2, 7, 7]), from],
    [v2(0x21, 0x21, V6), { address: "2001:db8::1", port: 56324 }],
    [v2(0x20, 0, []), undefined],
    [v2(0x20, 0x11, V4), undefined],
    [v2(0x21, 0x00, []), undefined],
    [v2(0x21, 0x31, new Array(216).fill(65)), undefined],
  ];
  for (const [header, peer] of cases) {
    const found = parseProxyHeader(header);
    assertEquals(found?.told?.source, peer);
    assertEquals(found?.length, header.length);
    // However it is cut, it is the same.
    for (let cut = 0; cut < header.length; cut++) {
      assertEquals(parseProxyHeader(header.subarray(0, cut)), undefined);
    }
    assertEquals(parseProxyHeader(new Uint8Array([...header, 65, 66]))?.length, header.length);
  }
});

Deno.test("PROXY header that is none is refused as soon as it shows", () => {
  const wrong = [
    bytes("USER tim\r\n"),
    bytes("PROXX"),
    bytes("proxy TCP4 "),
    bytes("PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n"),
    bytes("PROXY TCP4 192.0.2.7 198.51.100.1 56324 65536\r\n"),
    bytes("PROXY TCP4 192.0.2.7 198.51.100.1 056 110\r\n"),
    bytes("PROXY TCP4 ::1 ::1 1 1\r\n"),
    bytes("PROXY TCP6 192.0.2.7 192.0.2.7 1 1\r\n"),
    bytes("PROXY TCP4  192.0.2.7 198.51.100.1 56324 110\r\n"),
    bytes("PROXY TCP4 192.0.2.7 198.51.100.1 1 1 \r\n"),
    bytes("PROXY TCP9 192.0.2.7 198.51.100.1 1 1\r\n"),
    bytes("PROXY UNKNOWNX\r\n"),
    bytes("PROXY " + "A".repeat(101)),
    bytes("\r\n\r\nX"),
    bytes("\x16\x03\x01"),
    v2(0x11, 0x11, V4),
    v2(0x22, 0x11, V4),
    v2(0x21, 0x11, V4.slice(1)),
    v2(0x21, 0x21, V4),
    new Uint8Array([...bytes(SIGNATURE), 0x21, 0x11, 0xff, 0xff]),
  ];
  for (const header of wrong) {
    assertThrows(() => parseProxyHeader(header), ProxyHeaderError, undefined, String(header));
  }
});

Deno.test("PROXY header reader stands any octets", () => {
  const start = fc.constantFrom("", "PROXY ", "PROXY TCP4 ", SIGNATURE, SIGNATURE + "\x21\x11\0");
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (begin, rest) => {
      try {
        const found = parseProxyHeader(new Uint8Array([...bytes(begin), ...rest]));
        assert(found === undefined || found.length <= begin.length + rest.length);
      } catch (error) {
        assert(error instanceof ProxyHeaderError);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("proxied connection gives what came behind the header, and knows the client", async () => {
  for (const parts of [1, 7, 1000]) {
    const { client, server: raw } = await connectedPair();
    const all = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 110\r\nUSER tim\r\nPASS x\r\n";
    const sending = (async () => {
      for (let at = 0; at < all.length; at += parts) {
        await client.write(bytes(all.slice(at, at + parts)));
      }
      await client.closeWrite();
    })();
    using connection = await acceptProxied(raw, { timeout: 60_000 });
    assertEquals(connection.peer, { address: "192.0.2.7", port: 56324 });
    assertEquals(connection.local, { address: "198.51.100.1", port: 110 });
    assertEquals(connection.startTls, undefined);
    assertEquals(new TextDecoder().decode(await readAll(connection)), "USER tim\r\nPASS x\r\n");
    await sending;
    client.close();
  }
});

Deno.test("proxied connection is closed when its header is late, broken or never whole", async () => {
  for (
    const [words, message] of [["", "within 50 ms"], ["PROXY TCP4", "within 50 ms"], [
      "USER",
      "Expected a PROXY header",
    ]]
  ) {
    const { client, server: raw } = await connectedPair();
    await client.write(bytes(words ?? ""));
    await assertRejects(() => acceptProxied(raw, { timeout: 50 }), ProxyHeaderError, message);
    assert(raw.closed);
    client.close();
  }
  const { client, server: raw } = await connectedPair();
  await client.write(bytes("PROXY"));
  await client.closeWrite();
  await assertRejects(() => acceptProxied(raw, { timeout: 60_000 }), ProxyHeaderError, "ended");
  assert(raw.closed);
  client.close();
});
