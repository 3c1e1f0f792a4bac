import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { handshakeReason } from "../../lib/net/tls/handshake_reason.ts";

const INCOMPATIBLE = new Error("peer is incompatible: SignatureAlgorithmsExtensionRequired");

/** A ClientHello with a version, and perhaps the extension supported_versions. */
function hello(version: number, supported: readonly number[] = []): Uint8Array {
  const two = (value: number): number[] => [value >> 8, value & 255];
  const versions = supported.flatMap(two);
  const extension = supported.length === 0 ? [...two(0xff01), ...two(1), 0] : [
    ...two(10),
    ...two(2),
    0,
    0,
    ...two(43),
    ...two(versions.length + 1),
    versions.length,
    ...versions,
  ];
  const body = [
    ...two(version),
    ...new Array<number>(32).fill(7),
    ...[4, 1, 2, 3, 4],
    ...[...two(4), 0x13, 1, 0x13, 2],
    ...[1, 0],
    ...[...two(extension.length), ...extension],
  ];
  const message = [1, 0, ...two(body.length), ...body];
  return new Uint8Array([22, 3, 1, ...two(message.length), ...message]);
}

Deno.test("handshake's reason names what a client offers that is too old", () => {
  const offers: [Uint8Array, string][] = [
    [hello(0x0300), "client offers SSL 3 only"],
    [hello(0x0301), "client offers TLS 1.0 only"],
    [hello(0x0302), "client offers TLS 1.1 only"],
    [hello(0x0301, [0x0301, 0x0302]), "client offers TLS 1.1 only"],
    [new Uint8Array([0x80, 46, 1, 3, 1, 0, 21]), "client offers TLS 1.0 only"],
    [new Uint8Array([0x80, 46, 1, 0, 2, 0, 21]), "client offers SSL 2 only"],
  ];
  for (const [octets, reason] of offers) {
    assertEquals(handshakeReason(octets, INCOMPATIBLE), reason);
  }
});

Deno.test("handshake's reason tells clients, certificates and rubbish apart", () => {
  const good = hello(0x0303, [0x0a0a, 0x0304, 0x0303]);
  const alert = (name: string): Error => new Error(`received fatal alert: ${name}`);
  const common = new Error("peer is incompatible: NoCipherSuitesInCommon");
  const cases: [Uint8Array, Error, string][] = [
    [good, alert("UnknownCA"), "client does not accept the certificate (UnknownCA)"],
    [
      good,
      alert("CertificateExpired"),
      "client does not accept the certificate (CertificateExpired)",
    ],
    [good, alert("ProtocolVersion"), "client gave up with the alert ProtocolVersion"],
    [good, common, "client and server have nothing in common (NoCipherSuitesInCommon)"],
    [good, new Error("received unexpected message"), "client breaks the rules of TLS"],
    [new TextEncoder().encode("CAPA\r\nQUIT\r\n"), new Error("x"), "client does not speak TLS"],
    [new Uint8Array(), new Error("x"), "client does not speak TLS"],
    [good.subarray(0, 9), new Error("x"), "client breaks the rules of TLS"],
  ];
  for (const [octets, error, reason] of cases) assertEquals(handshakeReason(octets, error), reason);
});

Deno.test("handshake's reason is found for any octets, and is one of few", () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.nat(60), fc.nat(255)).map(([at, value]) => hello(0x0301, [0x0302]).with(at, value)),
  );
  fc.assert(fc.property(octets, (each) => {
    const reason = handshakeReason(each, INCOMPATIBLE);
    assertEquals(/^client [\w .()]{1,80}$/.test(reason), true, reason);
  }));
});
