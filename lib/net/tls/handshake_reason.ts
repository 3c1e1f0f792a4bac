/** Says why a TLS handshake came to nothing: by what the client said first, and by what the TLS layer says of the rest. */

/** Octets of the beginning that are looked at: any ClientHello of a client that is too old for us fits. */
export const HELLO_OCTETS = 1024;

/** What a certificate is refused for (RFC 8446, section 6.2), in the words of the TLS layer. */
const CERTIFICATE_ALERTS =
  /^(?:BadCertificate|UnsupportedCertificate|Certificate(?:Revoked|Expired|Unknown)|UnknownCA)$/;

/** Content type of a handshake record, and type of a ClientHello (RFC 8446, sections 5.1 and 4). */
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** The extension `supported_versions` (RFC 8446, section 4.2.1). */
const SUPPORTED_VERSIONS = 43;
const TLS_1_2 = 0x0303;

/**
 * The reason, as a sentence's end: one of few, so that they can be counted.
 *
 * @param hello the first octets that the client sent
 * @param error what the TLS layer said
 *
 * @example
 * ```ts
 * handshakeReason(octets, error); // "client offers TLS 1.0 only"
 * ```
 */
export function handshakeReason(hello: Uint8Array, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [, alert] = /received fatal alert: (\w{1,40})/.exec(text) ?? [];
  if (alert !== undefined && CERTIFICATE_ALERTS.test(alert)) {
    return `client does not accept the certificate (${alert})`;
  }
  if (alert !== undefined) return `client gave up with the alert ${alert}`;
  const version = newestVersion(hello);
  if (version === undefined) return "client does not speak TLS";
  if (version < TLS_1_2) return `client offers ${versionName(version)} only`;
  const [, lacks] = /incompatible: (\w{1,40})/.exec(text) ?? [];
  return lacks === undefined
    ? "client breaks the rules of TLS"
    : `client and server have nothing in common (${lacks})`;
}

/** The newest version that a ClientHello offers, as a number; undefined for what is none. */
function newestVersion(octets: Uint8Array): number | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  // SSL 2's form, which clients of SSL 3 and TLS 1.0 used (RFC 5246, appendix E.2).
  const isOldForm = octets.length >= 5 && (octets[0]! & 0x80) !== 0 && octets[2] === CLIENT_HELLO;
  if (isOldForm) return view.getUint16(3);
  const isHello = octets.length >= 11 && octets[0] === HANDSHAKE && octets[5] === CLIENT_HELLO;
  if (!isHello) return octets[0] === HANDSHAKE ? TLS_1_2 : undefined;
  return Math.max(view.getUint16(9), ...supportedVersions(view));
}

/** What the extension names, as far as it can be read. */
function supportedVersions(view: DataView): number[] {
  const end = view.byteLength;
  // Behind version and random: session id, cipher suites, compression methods, each behind its length.
  let at = 11 + 32;
  if (at < end) at += 1 + view.getUint8(at);
  if (at + 2 <= end) at += 2 + view.getUint16(at);
  if (at < end) at += 1 + view.getUint8(at);
  for (at += 2; at + 4 <= end;) {
    const [type, length] = [view.getUint16(at), view.getUint16(at + 2)];
    at += 4;
    if (type === SUPPORTED_VERSIONS && at + length <= end) {
      return Array.from(
        { length: (length - 1) >> 1 },
        (_, index) => view.getUint16(at + 1 + 2 * index),
      ).filter((version) => version <= 0x0304);
    }
    at += length;
  }
  return [];
}

function versionName(version: number): string {
  const names: Readonly<Record<number, string>> = {
    0x0002: "SSL 2",
    0x0200: "SSL 2",
    0x0300: "SSL 3",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
  };
  return names[version] ?? "an unknown version";
}
