/** Which addresses are counted as one: an IPv6 client can use any address of its /64. */

/**
 * Names the group of an IP address: IPv4 by itself, IPv6 by its first 64 bits.
 *
 * @param address as {@linkcode Endpoint.address} gives it; a zone behind `%` is left out
 *
 * @example
 * ```ts
 * addressGroup("2001:db8::1:2:3"); // "2001:db8:0:0::/64"
 * addressGroup("192.0.2.7"); // "192.0.2.7"
 * ```
 */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [plain = ""] = address.split("%");
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  // A dotted end stands for two groups.
  const length = left.length + right.length + (plain.includes(".") ? 1 : 0);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
