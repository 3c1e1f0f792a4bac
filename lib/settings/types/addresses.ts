/** Network addresses as settings. */

import { isIP, isIPv4, isIPv6 } from "node:net";
import { port } from "./numbers.ts";
import { isDomainName } from "./texts.ts";
import { single, type ValueType } from "./value_type.ts";

/** Reads `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]` or a host name; an IPv6 address comes back without brackets. */
function readHost(text: string): string | undefined {
  const inner = /^\[(.+)\]$/.exec(text)?.[1];
  if (inner !== undefined) return isIPv6(inner) ? inner : undefined;
  if (isIP(text) !== 0) return text;
  // What is all digits and dots was meant as an IPv4 address.
  return isDomainName(text) && !/^[0-9.]+$/.test(text) ? text : undefined;
}

/** An address to listen on, without a port. */
export const address: ValueType<string> = single({
  placeholder: "ADDR",
  expected: "an IPv4 or IPv6 address or a host name, without a port",
  parse: readHost,
});

/** An address and a port, `127.0.0.1:8080` or `[::1]:8080`. */
export const addressAndPort: ValueType<string> = single({
  placeholder: "ADDR:PORT",
  expected: "an address and a port, such as 127.0.0.1:8080 or [::1]:8080; port 0 is any free port",
  parse: (text) => {
    const parts = /^(\[[^\]]+\]|[^:]+):([0-9]+)$/.exec(text);
    if (parts === null || readHost(parts[1]!) === undefined) return undefined;
    try {
      port.read([parts[2]!]);
    } catch {
      return undefined; // The port's own refusal says less than the whole text's.
    }
    return text;
  },
});

/** An address and a port, or the path of a socket: `unix:/run/postern/lmtp`. */
export const lmtpPlace: ValueType<string> = single({
  placeholder: "ADDR:PORT|unix:PATH",
  expected: "an address and a port, such as 127.0.0.1:24, or unix: and a path",
  parse: (text) => {
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    if (text.startsWith("unix:")) return /^unix:[^\0-\x1f]+$/.test(text) ? text : undefined;
    try {
      return addressAndPort.read([text]);
    } catch {
      return undefined; // The refusal of the whole says more.
    }
  },
});

/** A network, `192.0.2.0/24` or `2001:db8::/32`; an address alone means itself. */
export const network: ValueType<string> = single({
  placeholder: "CIDR",
  expected: "a network, such as 192.0.2.0/24 or 2001:db8::/32",
  parse: (text) => {
    const [base = "", length, ...rest] = text.split("/");
    const bits = isIPv4(base) ? 32 : isIPv6(base) && !base.includes("%") ? 128 : undefined;
    if (bits === undefined || rest.length > 0) return undefined;
    if (length === undefined) return `${base}/${bits}`;
    return /^(?:0|[1-9][0-9]{0,2})$/.test(length) && Number(length) <= bits ? text : undefined;
  },
});
