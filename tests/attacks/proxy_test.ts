// The PROXY header: believed from named peers only, and there required, bounded and timed.
import { assert, assertEquals } from "@std/assert";
import { drain, pour, startStage } from "./stage.ts";

const decode = (octets: Uint8Array): string => new TextDecoder("latin1").decode(octets);
const encode = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/** A version 2 header: version and command, family, what follows, and how long it says that is. */
function v2(command: number, family: number, body: string, length = body.length): Uint8Array {
  const head = String.fromCharCode(command, family, length >> 8, length & 255);
  return encode(SIGNATURE + head + body);
}

Deno.test("PROXY: a peer that is not named says it in vain", async () => {
  await using stage = await startStage({ tls: false, flags: ["--proxy-protocol", "192.0.2.0/24"] });
  for (
    const header of [
      encode("PROXY TCP4 198.51.100.1 127.0.0.1 1 110\r\n"),
      v2(0x21, 0x11, "\xc0\x00\x02\x01\x7f\x00\x00\x01\x00\x01\x00\x6e"),
    ]
  ) {
    using conn = await stage.raw();
    await pour(conn, header);
    await pour(conn, "QUIT\r\n");
    await conn.closeWrite();
    const answers = decode(await drain(conn));
    assert(/^\+OK [^\r]+\r\n(-ERR [^\r]+\r\n)+/.test(answers), answers);
  }
  await stage.serves();
});

Deno.test("PROXY: whatever is no header closes the connection without a word", async () => {
  await using stage = await startStage({ tls: false, flags: ["--proxy-protocol", "127.0.0.0/8"] });
  const good = "PROXY TCP4 192.0.2.1 127.0.0.1 1000 110\r\n";
  const wrong: readonly Uint8Array[] = [
    ...[
      "USER alice\r\n",
      "\r\n",
      "proxy TCP4 192.0.2.1 127.0.0.1 1 110\r\n",
      "PROXY TCP5 192.0.2.1 127.0.0.1 1 110\r\n",
      "PROXY TCP4 192.0.2.256 127.0.0.1 1 110\r\n",
      "PROXY TCP4 192.0.2.1 127.0.0.1 1 65536\r\n",
      "PROXY TCP4 192.0.2.1 127.0.0.1 -1 110\r\n",
      "PROXY TCP4 ::1 ::1 1 110\r\n",
      "PROXY TCP6 192.0.2.1 127.0.0.1 1 110\r\n",
      "PROXY  TCP4 192.0.2.1 127.0.0.1 1 110\r\n",
      "PROXY TCP4 192.0.2.1 127.0.0.1 1 110 \r\n",
      "PROXY TCP4 192.0.2.1\x1b[2J 127.0.0.1 1 110\r\n",
      "PROXY TCP4 192.0.2.1 127.0.0.1 1 110",
      `PROXY UNKNOWN ${"x".repeat(200)}\r\n`,
      "P".repeat(100_000),
      SIGNATURE.slice(0, 8) + "rubbish",
    ].map(encode),
    v2(0x31, 0x11, "x".repeat(12)),
    v2(0x22, 0x11, "x".repeat(12)),
    v2(0x21, 0x11, "short"),
    v2(0x21, 0x21, "x".repeat(12)),
    v2(0x21, 0x11, "x".repeat(60_000)),
    v2(0x21, 0x11, "x".repeat(12), 65_535),
  ];
  for (const octets of wrong) {
    using conn = await stage.raw();
    await pour(conn, octets);
    await conn.closeWrite().catch(() => {});
    assertEquals(decode(await drain(conn)), "", JSON.stringify(decode(octets.subarray(0, 60))));
  }
  const right = [
    encode(good),
    encode("PROXY UNKNOWN\r\n"),
    encode("PROXY TCP6 2001:db8::1 ::1 1000 110\r\n"),
    v2(0x20, 0x00, ""),
    v2(0x21, 0x11, "\xc0\x00\x02\x01\x7f\x00\x00\x01\x00\x01\x00\x6e"),
    // Extensions behind the addresses are skipped.
    v2(0x21, 0x11, "\xc0\x00\x02\x01\x7f\x00\x00\x01\x00\x01\x00\x6e" + "\x04\x00\x03abc"),
  ];
  for (const octets of right) {
    // In one segment with the first command, and octet by octet.
    for (const cuts of [octets.length, 1]) {
      using conn = await stage.raw();
      for (let at = 0; at < octets.length; at += cuts) {
        await pour(conn, octets.subarray(at, at + cuts));
      }
      await pour(conn, "QUIT\r\n");
      const answers = decode(await drain(conn));
      assert(answers.endsWith("Postern POP3 ready\r\n+OK bye\r\n"), answers);
    }
  }
});

Deno.test("PROXY: a silent or slow peer is closed after five seconds, and takes nothing from others", async () => {
  await using stage = await startStage({ tls: false, flags: ["--proxy-protocol", "127.0.0.0/8"] });
  const begun = performance.now();
  const silent = await Promise.all(Array.from({ length: 50 }, () => stage.raw()));
  const slow = await stage.raw();
  const dripping = (async () => {
    for (const octet of encode("PROXY TCP4 192.0.2.1 127.0.0.1 1000 110\r\n")) {
      if (!await pour(slow, Uint8Array.of(octet))) return;
      // Real time is the attack: the header would take 40 seconds.
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  })();
  const answers = await Promise.all([...silent, slow].map((conn) => drain(conn)));
  const lasted = performance.now() - begun;
  assert(lasted > 4500 && lasted < 30_000, `${lasted} ms`);
  assertEquals(answers.map(({ length }) => length).filter((length) => length > 0), []);
  await dripping;
  for (const conn of [...silent, slow]) conn.close();
});
