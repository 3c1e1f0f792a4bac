/** The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): a trusted proxy tells whose connection it is. */

import type { Connection, Endpoint } from "../contracts/connection.ts";
import { addressText, canonicalAddress } from "./networks.ts";
import { PrefixedConnection } from "./prefixed_connection.ts";

/** Settings of {@linkcode acceptProxied}. */
export interface ProxyOptions {
  /** Milliseconds for the whole header. */
  readonly timeout: number;
  /** Takes the server's side of a TLS handshake on the connection behind the header; absent without a certificate. */
  readonly upgrade?: (connection: Connection) => Promise<Connection>;
}

/** A header that did not come, or was none. */
export class ProxyHeaderError extends Error {
  override readonly name = "ProxyHeaderError";
}

/** Section 2.1: the longest line of version 1, CRLF included. */
const MAX_V1 = 107;
/** Section 2.2. */
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const V2_HEAD = 16;
/** More than addresses and any sensible extensions (TLV) take; the format would allow 65 535. */
const MAX_V2 = 4096;
/** Octets of one read: a header with common extensions, and the client's first words. */
const READ = 1024;

/** What a header says: whose connection it is, or undefined when it is the proxy's own. */
interface Told {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** A header that was read to its end. */
interface Header {
  readonly told: Told | undefined;
  /** Octets that it took. */
  readonly length: number;
}

/**
 * Reads the header that must stand at the beginning of a connection. Ask it only of peers that are trusted, and of all
 * of those: whoever may send a header can say any address.
 *
 * @returns the connection behind the header, with the client's address as its peer
 * @throws {ProxyHeaderError} when the header is malformed, too long or late; `raw` is closed then
 */
export async function acceptProxied(raw: Connection, options: ProxyOptions): Promise<Connection> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    raw[Symbol.dispose]();
  }, options.timeout);
  try {
    const { header, behind } = await readHeader(raw);
    return new PrefixedConnection(raw, behind, {
      peer: header.told?.source,
      local: header.told?.destination,
      upgrade: options.upgrade,
    });
  } catch (error) {
    raw[Symbol.dispose]();
    if (late) {
      throw new ProxyHeaderError(
        `No PROXY header came from ${raw.peer.address} within ${options.timeout} ms.`,
        { cause: error },
      );
    }
    if (error instanceof ProxyHeaderError) throw error;
    throw new ProxyHeaderError(`The connection was lost before the end of its PROXY header.`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function readHeader(raw: Connection): Promise<{ header: Header; behind: Uint8Array }> {
  let octets = new Uint8Array(0);
  const buffer = new Uint8Array(READ);
  while (true) {
    const header = parseProxyHeader(octets);
    if (header !== undefined) return { header, behind: octets.subarray(header.length) };
    const count = await raw.read(buffer);
    if (count === null) {
      throw new ProxyHeaderError("The connection ended before the end of its PROXY header.");
    }
    const longer = new Uint8Array(octets.length + count);
    longer.set(octets);
    longer.set(buffer.subarray(0, count), octets.length);
    octets = longer;
  }
}

/**
 * Reads a header of either version.
 *
 * @param octets the beginning of a connection
 * @returns undefined while it is not whole
 * @throws {ProxyHeaderError} as soon as it cannot become one
 */
export function parseProxyHeader(octets: Uint8Array): Header | undefined {
  if (octets.length === 0) return undefined;
  return octets[0] === SIGNATURE[0] ? parseV2(octets) : parseV1(octets);
}

function parseV1(octets: Uint8Array): Header | undefined {
  const known = octets.subarray(0, MAX_V1);
  const text = String.fromCharCode(...known);
  const end = text.indexOf("\r\n");
  if (!"PROXY ".startsWith(text.slice(0, 6))) {
    throw new ProxyHeaderError("Expected a PROXY header.");
  }
  if (end < 0) {
    if (octets.length >= MAX_V1) {
      throw new ProxyHeaderError(`The PROXY line is longer than ${MAX_V1} octets.`);
    }
    return undefined;
  }
  const length = end + 2;
  const line = text.slice(0, end);
  // Whatever stands behind UNKNOWN must be ignored (section 2.1).
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { told: undefined, length };
  const [, family, from = "", to = "", fromPort, toPort] =
    /^PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  const source = endpointOf(family, from, fromPort);
  const destination = endpointOf(family, to, toPort);
  if (source === undefined || destination === undefined) {
    throw new ProxyHeaderError("The PROXY line does not hold two addresses and ports.");
  }
  return { told: { source, destination }, length };
}

function endpointOf(
  family: string | undefined,
  text: string,
  port: string | undefined,
): Endpoint | undefined {
  if (text.includes(":") !== (family === "6")) return undefined;
  const address = canonicalAddress(text);
  const number = /^(?:0|[1-9]\d*)$/.test(port ?? "") ? Number(port) : NaN;
  return address !== undefined && number <= 0xffff ? { address, port: number } : undefined;
}

function parseV2(octets: Uint8Array): Header | undefined {
  for (let index = 0; index < Math.min(octets.length, SIGNATURE.length); index++) {
    if (octets[index] !== SIGNATURE[index]) {
      throw new ProxyHeaderError("Expected a PROXY header.");
    }
  }
  if (octets.length < V2_HEAD) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const command = view.getUint8(12);
  const size = view.getUint16(14);
  if (command !== 0x20 && command !== 0x21) {
    throw new ProxyHeaderError("The PROXY header's version or command is unknown.");
  }
  if (size > MAX_V2) {
    throw new ProxyHeaderError(`The PROXY header is longer than ${MAX_V2} octets.`);
  }
  const length = V2_HEAD + size;
  if (octets.length < length) return undefined;
  // LOCAL: the proxy asks for itself, to see whether we are well; what else it says is to be skipped.
  if (command === 0x20) return { told: undefined, length };
  return { told: toldV2(octets.slice(V2_HEAD, length), view.getUint8(13)), length };
}

/** Addresses, behind which any extensions follow that nobody here needs. */
function toldV2(body: Uint8Array<ArrayBuffer>, family: number): Told | undefined {
  // Other families and transports (UDP, Unix sockets) carry no address that a session could have (section 2.2).
  const width = family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  if (width === 0) return undefined;
  if (body.length < 2 * width + 4) {
    throw new ProxyHeaderError("The PROXY header is too short for its addresses.");
  }
  const view = new DataView(body.buffer);
  const at = (start: number, port: number): Endpoint => {
    const text = addressText(body.slice(start, start + width));
    // Through the reader, so that a mapped IPv4 address takes its own form.
    return { address: canonicalAddress(text) ?? text, port: view.getUint16(port) };
  };
  return { source: at(0, 2 * width), destination: at(width, 2 * width + 2) };
}
