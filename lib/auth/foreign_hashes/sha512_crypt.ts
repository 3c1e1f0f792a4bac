/** SHA512-CRYPT, the `$6$` hash of Unix systems (Drepper, "Unix crypt using SHA-256 and SHA-512", 2007). */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import {
  digestAddress,
  keyAddress,
  memory,
  rounds as runRounds,
  saltAddress,
} from "./sha512_rounds/sha512_rounds.wasm";
import { characters } from "./crypt_encoding.ts";
import { SHA_CRYPT_ROUNDS } from "./hash_cost.ts";

const FORM = /^\$6\$(?:rounds=(\d{1,9})\$)?([./0-9A-Za-z]{0,16})\$([./0-9A-Za-z]{86})$/;
const DIGEST_OCTETS = 64;
/**
 * Rounds between two looks at the clock: a thread that is busy cannot be ended from outside. A multiple of 42, after which the order of
 * what is hashed begins anew.
 */
const ROUNDS_AT_ONCE = 42_000;
/** What the kernel has room for. */
const MAX_KEY_OCTETS = 1024;

/** A check was given up. */
export class TookTooLongError extends Error {
  override readonly name = "TookTooLongError";
}

/** Whether a text has the form of a SHA512-CRYPT hash. */
export function isSha512Crypt(text: string): boolean {
  return FORM.test(text);
}

/**
 * Checks a password against a SHA512-CRYPT hash. Takes about 1 µs a round (5000 by default), synchronously.
 *
 * @param password at most 1024 octets in UTF-8
 * @param until when it is given up, of `performance.now()`
 * @throws {TypeError} when `hash` is none, or the password is longer
 * @throws {TookTooLongError} when it is given up
 */
export function verifySha512Crypt(password: string, hash: string, until = Infinity): boolean {
  const [, rounds = SHA_CRYPT_ROUNDS.usual, salt, digest] = FORM.exec(hash) ?? [];
  if (salt === undefined || digest === undefined) {
    throw new TypeError("The SHA512-CRYPT hash does not have the form $6$salt$hash");
  }
  const key = Buffer.from(password);
  if (key.length > MAX_KEY_OCTETS) {
    throw new TypeError(`The password is longer than ${MAX_KEY_OCTETS} octets`);
  }
  const { least, most } = SHA_CRYPT_ROUNDS;
  const count = Math.max(least, Math.min(Number(rounds), most));
  const found = encode(stretch(key, Buffer.from(salt), count, until));
  return timingSafeEqual(Buffer.from(found), Buffer.from(digest));
}

/** Works until a moment as checking does, to within a millisecond. @param until of `performance.now()` */
export function spendTime(until: number): void {
  while (performance.now() < until) runRounds(500, 16, 16);
}

/** Steps 1 to 21 of the description. */
function stretch(key: Buffer, salt: Buffer, rounds: number, until: number): Buffer {
  const alternate = sha512(key, salt, key);
  const parts = [key, salt, repeated(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? alternate : key);
  const digest = sha512(...parts);
  const p = repeated(sha512(...Array<Buffer>(key.length).fill(key)), key.length);
  const s = repeated(sha512(...Array<Buffer>(16 + digest[0]!).fill(salt)), salt.length);
  place(digestAddress(), digest);
  place(keyAddress(), p);
  place(saltAddress(), s);
  for (let left = rounds; left > 0; left -= ROUNDS_AT_ONCE) {
    if (performance.now() > until) throw new TookTooLongError("it took too long");
    runRounds(Math.min(left, ROUNDS_AT_ONCE), p.length, s.length);
  }
  return Buffer.from(octetsAt(digestAddress(), DIGEST_OCTETS));
}

/** The part of the kernel's memory from an address on. The memory never grows, and nothing is awaited between filling and reading. */
function octetsAt(address: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer as ArrayBuffer, address, length);
}

function place(address: number, octets: Uint8Array): void {
  octetsAt(address, octets.length).set(octets);
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
