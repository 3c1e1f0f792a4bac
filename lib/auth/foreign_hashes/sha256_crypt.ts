/** SHA256-CRYPT, the `$5$` hash of Unix systems (Drepper, "Unix crypt using SHA-256 and SHA-512", 2007). */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { characters } from "./crypt_encoding.ts";
import { SHA_CRYPT_ROUNDS } from "./hash_cost.ts";
import { TookTooLongError } from "./sha512_crypt.ts";

const FORM = /^\$5\$(?:rounds=(\d{1,9})\$)?([^$:\s]{0,16})\$([./0-9A-Za-z]{43})$/;
const DIGEST_OCTETS = 32;
/** Rounds between two looks at the clock. */
const ROUNDS_AT_ONCE = 4096;

/** Whether a text has the form of a SHA256-CRYPT hash. */
export function isSha256Crypt(text: string): boolean {
  return FORM.test(text);
}

/**
 * Checks a password. Takes about 3 µs a round (5000 by default), synchronously.
 *
 * @param hash one that {@linkcode isSha256Crypt} takes
 * @param until when it is given up, of `performance.now()`
 * @throws {TookTooLongError} when it is given up
 */
export function verifySha256Crypt(password: string, hash: string, until = Infinity): boolean {
  const { usual, least, most } = SHA_CRYPT_ROUNDS;
  const [, given = usual, saltText = "", expected = ""] = FORM.exec(hash) ?? [];
  const rounds = Math.max(least, Math.min(Number(given), most));
  const digest = stretch(Buffer.from(password), Buffer.from(saltText), rounds, until);
  return timingSafeEqual(Buffer.from(encode(digest)), Buffer.from(expected));
}

/** Steps 1 to 21 of the description. */
function stretch(key: Buffer, salt: Buffer, rounds: number, until: number): Buffer {
  const alternate = sha256(key, salt, key);
  const parts = [key, salt, repeated(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? alternate : key);
  let digest = sha256(...parts);
  const p = repeated(sha256(...Array<Buffer>(key.length).fill(key)), key.length);
  const s = repeated(sha256(...Array<Buffer>(16 + digest[0]!).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    if (round % ROUNDS_AT_ONCE === 0 && performance.now() > until) {
      throw new TookTooLongError("it took too long");
    }
    const odd = round % 2 === 1;
    const mix = [odd ? p : digest];
    if (round % 3 !== 0) mix.push(s);
    if (round % 7 !== 0) mix.push(p);
    mix.push(odd ? digest : p);
    digest = sha256(...mix);
  }
  return digest;
}

/** Step 22: three octets at a time, from the three thirds of the digest in turn, make four characters. */
function encode(digest: Buffer): string {
  let text = "";
  for (let index = 0; index < 10; index++) {
    const thirds = [index, index + 10, index + 20];
    // The turn goes the other way round than in SHA512-CRYPT.
    const [high, middle, low] = thirds.map((_, turn) => digest[thirds[(turn + 2 * index) % 3]!]!);
    text += characters((high! << 16) | (middle! << 8) | low!, 4);
  }
  return text + characters((digest[31]! << 8) | digest[30]!, 3);
}

/** The first `length` octets of a digest that is repeated as often as it takes. */
function repeated(digest: Buffer, length: number): Buffer {
  return Buffer.concat(Array<Buffer>(Math.ceil(length / DIGEST_OCTETS)).fill(digest))
    .subarray(0, length);
}

function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
