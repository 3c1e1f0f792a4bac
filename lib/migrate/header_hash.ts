/** Knows a message by its header, whatever a server has done to it: the same message on two servers has the same hash. */

import { createHash } from "node:crypto";

/** Fields that servers add and change. */
const CHANGING: ReadonlySet<string> = new Set([
  "content-length",
  "return-path",
  "status",
  "x-status",
  "x-keywords",
  "x-uid",
  "x-uidl",
  "x-imap",
  "x-imapbase",
  "x-message-flag",
]);

/**
 * Hashes a header: SHA-256 of its fields, sorted, without those that servers change, and without lines of blanks alone.
 *
 * @param lines without line ends, up to the empty line that ends the header; what follows is not looked at
 */
export function headerHash(lines: Iterable<string>): string {
  const fields: string[] = [];
  for (const line of lines) {
    if (line === "") break;
    if (line.trim() === "") continue;
    const isContinued = /^[ \t]/.test(line) && fields.length > 0;
    if (isContinued) fields[fields.length - 1] += `\n${line}`;
    else fields.push(line);
  }
  const lasting = fields.filter((field) => {
    const colon = field.indexOf(":");
    return !CHANGING.has(field.slice(0, Math.max(0, colon)).trim().toLowerCase());
  });
  return createHash("sha256").update(lasting.sort().join("\n"), "utf8").digest("hex");
}
