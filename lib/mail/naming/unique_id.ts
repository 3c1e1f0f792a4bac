/** Unique-ids of messages (RFC 1939, section 7), made from file names so that they need no store of their own. */

import { createHash } from "node:crypto";

/** Begins every hashed id and no other: a name that begins so itself is hashed. */
const HASHED = "=";
const LONGEST = 70;

/**
 * Makes a Maildir message's id: its unique part as it is where the protocol can carry it, else a hash of it.
 * The two kinds never meet, since only hashes begin with `=`.
 *
 * @param unique the part of the file name before `:2,`
 */
export function maildirId(unique: string): string {
  return isCarried(unique) ? unique : hashed(unique);
}

/**
 * Makes the id of a Maildir message that shares its unique part with another: what the file itself says tells them apart.
 *
 * @param unique the part of the file name before `:2,`
 * @param modified the file's time, milliseconds since 1970
 * @param storedSize octets
 * @param copy how many others with the same three come before it
 */
export function twinId(unique: string, modified: number, storedSize: number, copy: number): string {
  return hashed(`${unique}/${modified}/${storedSize}/${copy}`);
}

/**
 * Makes a plain folder's message id. A name may come again there, so the file's time and size belong to it.
 * A slash is in no file name, so two different triples never read the same.
 *
 * @param name the file name
 * @param modified the file's time, milliseconds since 1970 (the finest that the runtime tells)
 * @param storedSize octets
 */
export function plainId(name: string, modified: number, storedSize: number): string {
  const id = `${name}/${modified}/${storedSize}`;
  return isCarried(id) ? id : hashed(id);
}

/** Whether a text can be an id as it is: 1–70 characters of 0x21–0x7E, not beginning as hashes do. */
function isCarried(text: string): boolean {
  if (text.length === 0 || text.length > LONGEST || text.startsWith(HASHED)) return false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x21 || unit > 0x7e) return false;
  }
  return true;
}

/** 256 bits in 43 characters: two texts with the same hash are not to be found. */
function hashed(text: string): string {
  return HASHED + createHash("sha256").update(text, "utf8").digest("base64url");
}
