/** MD5-CRYPT, the `$1$` hash of older Unix systems (P.-H. Kamp, FreeBSD 2.0): a thousand rounds of MD5. */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { characters } from "./crypt_encoding.ts";

const FORM = /^\$1\$([^$:\s]{0,8})\$([./0-9A-Za-z]{22})$/;
const ROUNDS = 1000;
/** Which octets of the digest stand together. */
const GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] as const;

/** Whether a text has the form of an MD5-CRYPT hash. */
export function isMd5Crypt(text: string): boolean {
  return FORM.test(text);
}

/** Checks a password. @param hash one that {@linkcode isMd5Crypt} takes */
export function verifyMd5Crypt(password: string, hash: string): boolean {
  const [, saltText = "", expected = ""] = FORM.exec(hash) ?? [];
  const key = Buffer.from(password);
  const salt = Buffer.from(saltText);
  const first = md5(key, salt, key);
  const parts: Buffer[] = [key, Buffer.from("$1$"), salt];
  for (let left = key.length; left > 0; left -= 16) {
    parts.push(first.subarray(0, Math.min(16, left)));
  }
  // The first octet of the key, or a zero: an error of the first program that all have kept.
  for (let bits = key.length; bits > 0; bits >>= 1) {
    parts.push(bits & 1 ? Buffer.alloc(1) : key.subarray(0, 1));
  }
  let digest = md5(...parts);
  for (let round = 0; round < ROUNDS; round++) {
    const odd = round % 2 === 1;
    const mix = [odd ? key : digest];
    if (round % 3 !== 0) mix.push(salt);
    if (round % 7 !== 0) mix.push(key);
    mix.push(odd ? digest : key);
    digest = md5(...mix);
  }
  const text =
    GROUPS.map(([a, b, c]) => characters((digest[a]! << 16) | (digest[b]! << 8) | digest[c]!, 4))
      .join("") + characters(digest[11]!, 2);
  return timingSafeEqual(Buffer.from(text), Buffer.from(expected));
}

function md5(...parts: Buffer[]): Buffer {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
