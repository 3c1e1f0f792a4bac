/** Which addresses never leave this machine. */

import { parseAddress } from "../../net/networks.ts";

/** Whether an address is of loopback: 127.0.0.0/8 (RFC 1122, section 3.2.1.3) and ::1 (RFC 4291, section 2.5.3). */
export function isLoopback(address: string): boolean {
  const octets = parseAddress(address);
  if (octets === undefined) return address === "localhost";
  if (octets.length === 4) return octets[0] === 127;
  return octets.every((octet, index) => octet === (index === 15 ? 1 : 0));
}
