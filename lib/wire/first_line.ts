/** The first line of an answer (RFC 1939, section 3; RFC 2449, sections 4 and 8). */

import { RESPONSE_LINE_OCTETS } from "./limits.ts";
import type { ResponseCode } from "./reply.ts";

const encoder = new TextEncoder();
const scratch = new Uint8Array(RESPONSE_LINE_OCTETS - 2);

/**
 * Makes `+OK text`.
 *
 * @param text for people or clients; whatever could end the line is dropped
 */
export function positive(text = ""): string {
  return text === "" ? "+OK" : bounded(`+OK ${text}`);
}

/**
 * Makes `-ERR [code] text`.
 *
 * @param text for people
 * @param code for clients, where one fits (RFC 2449, section 8)
 */
export function negative(text: string, code?: ResponseCode): string {
  return bounded(code === undefined ? `-ERR ${text}` : `-ERR [${code}] ${text}`);
}

/** The text of an answer after which a client is to try again. @param reference as the log names the connection */
export function tryLater(what: string, reference: string | undefined): string {
  return `${what}, try again later${reference === undefined ? "" : ` (session ${reference})`}`;
}

/** Cuts to what a first line may have, its CRLF counted, at a character's border; a line break inside becomes a blank. */
function bounded(line: string): string {
  const single = /[\r\n\0]/.test(line) ? line.replace(/[\r\n\0]+/g, " ") : line;
  if (single.length * 3 <= scratch.length) return single;
  return single.slice(0, encoder.encodeInto(single, scratch).read);
}
