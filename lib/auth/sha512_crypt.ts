/** SHA512-CRYPT, the `$6$` hash of Unix systems (Drepper, "Unix crypt using SHA-256 and SHA-512", 2007). */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const FORM = /^\$6\$(?:rounds=(\d{1,9})\$)?([./0-9A-Za-z]{0,16})\$([./0-9A-Za-z]{86})$/;
const DIGEST_OCTETS = 64;

/** Whether a text has the form of a SHA512-CRYPT hash. */
export function isSha512Crypt(text: string): boolean {
  return FORM.test(text);
}

/**
 * Checks a password against a SHA512-CRYPT hash. Takes about 2 µs a round (5000 by default), synchronously.
 *
 * @throws {TypeError} when `hash` is none
 */
export function verifySha512Crypt(password: string, hash: string): boolean {
  const [, rounds = "5000", salt, digest] = FORM.exec(hash) ?? [];
  if (salt === undefined || digest === undefined) {
    throw new TypeError("The SHA512-CRYPT hash does not have the form $6$salt$hash");
  }
  const count = Math.max(1000, Math.min(Number(rounds), 999_999_999));
  const found = encode(stretch(Buffer.from(password), Buffer.from(salt), count));
  return timingSafeEqual(Buffer.from(found), Buffer.from(digest));
}

/** Steps 1 to 21 of the description. */
function stretch(key: Buffer, salt: Buffer, rounds: number): Buffer {
  const alternate = sha512(key, salt, key);
  const parts = [key, salt, repeated(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? alternate : key);
  let digest = sha512(...parts);
  const p = repeated(sha512(...Array<Buffer>(key.length).fill(key)), key.length);
  const s = repeated(sha512(...Array<Buffer>(16 + digest[0]!).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    const hash = createHash("sha512").update(odd ? p : digest);
    if (round % 3 !== 0) hash.update(s);
    if (round % 7 !== 0) hash.update(p);
    digest = hash.update(odd ? digest : p).digest();
  }
  return digest;
}

/** Step 22: three octets at a time, from the three thirds of the digest in turn, make four characters, lowest bits first. */
function encode(digest: Buffer): string {
  let text = "";
  for (let index = 0; index < 21; index++) {
    const thirds = [index, index + 21, index + 42];
    const [high, middle, low] = thirds.map((_, turn) => digest[thirds[(index + turn) % 3]!]!);
    text += characters((high! << 16) | (middle! << 8) | low!, 4);
  }
  return text + characters(digest[63]!, 2);
}

function characters(bits: number, count: number): string {
  let text = "";
  for (let index = 0; index < count; index++) text += ALPHABET[(bits >> (6 * index)) & 63];
  return text;
}

/** The first `length` octets of a digest that is repeated as often as it takes. */
function repeated(digest: Buffer, length: number): Buffer {
  return Buffer.concat(Array<Buffer>(Math.ceil(length / DIGEST_OCTETS)).fill(digest))
    .subarray(0, length);
}

function sha512(...parts: Buffer[]): Buffer {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
