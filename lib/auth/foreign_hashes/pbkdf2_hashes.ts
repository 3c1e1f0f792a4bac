/** Password hashes by PBKDF2 with HMAC-SHA-1: Dovecot's PBKDF2, and the keys of SCRAM-SHA-1 (RFC 5802, section 3). */

import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";

const PBKDF2 = /^\$1\$([^$:]{0,64})\$([1-9]\d{0,8})\$([0-9a-f]{40})$/i;
const SCRAM = /^([1-9]\d{0,8}),([+/0-9A-Za-z]+=*),([+/0-9A-Za-z]{27}=),([+/0-9A-Za-z]{27}=)$/;
const OCTETS = 20;

/** The rounds of a PBKDF2 hash; undefined where a text is none. */
export function pbkdf2Rounds(text: string): number | undefined {
  const rounds = PBKDF2.exec(text)?.[2];
  return rounds === undefined ? undefined : Number(rounds);
}

/** The rounds of SCRAM-SHA-1 keys, `iterations,salt,StoredKey,ServerKey`; undefined where a text is none. */
export function scramSha1Rounds(text: string): number | undefined {
  const rounds = SCRAM.exec(text)?.[1];
  return rounds === undefined ? undefined : Number(rounds);
}

/** Checks a password. @param hash one that {@linkcode pbkdf2Rounds} takes */
export function verifyPbkdf2(password: string, hash: string): boolean {
  const [, salt = "", rounds, digest = ""] = PBKDF2.exec(hash) ?? [];
  const found = pbkdf2Sync(password, salt, Number(rounds), OCTETS, "sha1");
  return timingSafeEqual(found, Buffer.from(digest, "hex"));
}

/** Checks a password. @param keys what {@linkcode scramSha1Rounds} takes */
export function verifyScramSha1(password: string, keys: string): boolean {
  const [, rounds, salt = "", stored = ""] = SCRAM.exec(keys) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(rounds), OCTETS, "sha1");
  const client = createHmac("sha1", salted).update("Client Key").digest();
  const found = createHash("sha1").update(client).digest();
  return timingSafeEqual(found, Buffer.from(stored, "base64"));
}
