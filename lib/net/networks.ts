/** IP addresses as numbers, and networks in CIDR notation (RFC 4632, RFC 4291): who is trusted, who is counted together. */

/** An address: its octets (4 or 16), IPv4-mapped IPv6 (`::ffff:192.0.2.7`) as IPv4. */
export type AddressOctets = Uint8Array<ArrayBuffer>;

/** A network. */
export interface Network {
  readonly octets: AddressOctets;
  /** How many bits of the address are the network's. */
  readonly bits: number;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Reads an IP address.
 *
 * @param text IPv4 in four decimal parts without leading zeros, or IPv6 as RFC 4291, section 2.2, has it; a zone
 *   (`%eth0`) is left out
 * @returns undefined when it is none
 */
export function parseAddress(text: string): AddressOctets | undefined {
  if (!text.includes(":")) return parseIpv4(text);
  const octets = parseIpv6(text.replace(/%.*$/s, ""));
  if (octets === undefined) return undefined;
  return MAPPED.every((octet, index) => octets[index] === octet) ? octets.slice(12) : octets;
}

function parseIpv4(text: string): AddressOctets | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const fits = parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return fits ? Uint8Array.from(parts, Number) : undefined;
}

function parseIpv6(text: string): AddressOctets | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  // `::` stands for one group of zeros or more.
  const room = 16 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? room < 2 : room !== 0) return undefined;
  return new Uint8Array([...head, ...new Array<number>(room).fill(0), ...(tail ?? [])]);
}

/** Groups of four hexadecimal digits; the very last of an address may be an IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    const dotted = last && index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (dotted !== undefined) octets.push(...dotted);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      const value = parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return octets;
}

/** Writes an address in the one form that compares (RFC 5952): lower case, the longest run of zeros as `::`. */
export function addressText(octets: AddressOctets): string {
  if (octets.length === 4) return octets.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((octets[2 * index]! << 8) | octets[2 * index + 1]!).toString(16),
  );
  const zeros = longestZeros(groups);
  if (zeros.length < 2) return groups.join(":");
  const head = groups.slice(0, zeros.start).join(":");
  const tail = groups.slice(zeros.start + zeros.length).join(":");
  return `${head}::${tail}`;
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** An address in its one form, or undefined when the text is none. */
export function canonicalAddress(text: string): string | undefined {
  const octets = parseAddress(text);
  return octets && addressText(octets);
}

/**
 * Reads a network: `192.0.2.0/24`, `2001:db8::/32`, or a single address.
 *
 * @throws {SyntaxError} saying what was expected
 */
export function parseNetwork(text: string): Network {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const octets = parseAddress(address);
  if (octets === undefined) {
    throw new SyntaxError(
      `"${text}" is no network: expected an address and a length, such as 192.0.2.0/24 or 2001:db8::/32.`,
    );
  }
  // A mapped network is counted in the 128 bits that it was written in.
  const written = address.includes(":") ? 128 : 32;
  const size = octets.length * 8;
  const bits = Number(length ?? written) - (written - size);
  if (bits < 0 || bits > size) {
    throw new SyntaxError(`"${text}" is no network: its length must be between 0 and ${written}.`);
  }
  const masked = octets.map((octet, index) => octet & maskOf(bits - index * 8));
  if (masked.some((octet, index) => octet !== octets[index])) {
    throw new SyntaxError(
      `"${text}" has bits behind its length: did you mean ${addressText(masked)}/${length}?`,
    );
  }
  return { octets: masked, bits };
}

/** The octet that keeps this many of its first bits. */
function maskOf(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
}

/** Whether a network holds an address. */
export function networkHolds(network: Network, octets: AddressOctets): boolean {
  if (octets.length !== network.octets.length) return false;
  return network.octets.every((octet, index) =>
    octet === (octets[index]! & maskOf(network.bits - index * 8))
  );
}

/** Networks asked about together. */
export class NetworkList {
  readonly #networks: readonly Network[];

  /** @throws {SyntaxError} when one of the texts is no network */
  constructor(texts: readonly string[]) {
    this.#networks = texts.map(parseNetwork);
  }

  /** Whether one of them holds this address; what is no address lies in none. */
  holds(address: string): boolean {
    if (this.#networks.length === 0) return false;
    const octets = parseAddress(address);
    return octets !== undefined && this.#networks.some((network) => networkHolds(network, octets));
  }
}

/** Lists of networks by their texts, of which settings keep the same array as long as nobody changes them. */
export class NetworkLists {
  readonly #lists = new WeakMap<readonly string[], NetworkList>();

  /** @throws {SyntaxError} when one of the texts is no network */
  of(texts: readonly string[]): NetworkList {
    let list = this.#lists.get(texts);
    if (list === undefined) {
      list = new NetworkList(texts);
      this.#lists.set(texts, list);
    }
    return list;
  }
}

/** Who an address is counted as. */
export interface ClientNetworks {
  /** One customer: an IPv4 address, or the /64 that an IPv6 customer has at least. */
  readonly own: string;
  /** What one customer may have as well, and choose a /64 in for each attempt: the /48. IPv6 only. */
  readonly wide?: string;
}

/** `64:ff9b::/96` (RFC 6052, section 2.1): a translator puts every IPv4 client into this one /64. */
const TRANSLATED = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

/** Finds who an address is counted as; what is no address is counted as it stands. */
export function clientNetworks(address: string): ClientNetworks {
  // An IPv4 address has one form only.
  if (!address.includes(":")) return { own: address };
  const octets = parseAddress(address);
  if (octets === undefined) return { own: address };
  if (octets.length === 4) return { own: addressText(octets) };
  if (isLoopback(address)) return { own: "::1" };
  if (TRANSLATED.every((octet, index) => octets[index] === octet)) {
    return { own: addressText(octets) };
  }
  return {
    own: `${addressText(octets.fill(0, 8))}/64`,
    wide: `${addressText(octets.fill(0, 6))}/48`,
  };
}

/**
 * Names the group of clients that an address is counted with everywhere: in the guard, in warnings, in limits per address.
 *
 * @returns an IPv4 address as it is, the /64 of an IPv6 address; what is no address as it stands
 *
 * @example
 * ```ts
 * addressGroup("2001:db8::1:2:3"); // "2001:db8::/64"
 * addressGroup("::ffff:192.0.2.7"); // "192.0.2.7"
 * ```
 */
export function addressGroup(address: string): string {
  return clientNetworks(address).own;
}

/**
 * Whether an address, or a host name, never leaves this machine: 127.0.0.0/8 (RFC 1122, section 3.2.1.3), ::1 (RFC 4291, section
 * 2.5.3), `localhost` (RFC 6761, section 6.3).
 */
export function isLoopback(address: string): boolean {
  const octets = parseAddress(address);
  if (octets === undefined) return address.toLowerCase() === "localhost";
  if (octets.length === 4) return octets[0] === 127;
  return octets.every((octet, index) => octet === (index === 15 ? 1 : 0));
}
