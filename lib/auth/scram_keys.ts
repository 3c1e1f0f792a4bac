/** SCRAM-SHA-256 as the server keeps and checks it (RFC 5802, section 3; RFC 7677). */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Salting, ScramKeys } from "../contracts/user_source.ts";

/** The least that RFC 7677, section 4, allows; docs/decisions/0030 says why not more. */
export const DEFAULT_ITERATIONS = 4096;
/** What takes a core a second: a client could else make each of its logins cost any amount. */
const MOST_ITERATIONS = 3_800_000;
/** Octets of a salt. */
export const SALT_OCTETS = 16;
/** Octets of a key, a proof and a signature. */
export const KEY_OCTETS = 32;

/** Makes the keys of a salted password. */
export function scramKeys(saltedPassword: Uint8Array): ScramKeys {
  const clientKey = hmac(saltedPassword, "Client Key");
  return { storedKey: sha256(clientKey), serverKey: hmac(saltedPassword, "Server Key") };
}

/** Compares two keys in constant time. */
export function sameKey(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/**
 * Checks a client's proof against each of a user's keys; all of them are tried, however early one fits.
 *
 * @param candidates keys of the password and the app passwords
 * @param authMessage as both sides know it
 * @param proof as the client sent it
 * @returns the server's signature and the keys that fit, or undefined when the proof fits none
 */
export function checkProof<K extends ScramKeys>(
  candidates: readonly K[],
  authMessage: string,
  proof: Uint8Array,
): { readonly serverSignature: Uint8Array; readonly keys: K } | undefined {
  let fitting: K | undefined;
  if (proof.length !== KEY_OCTETS) return undefined;
  for (const keys of candidates) {
    const signature = hmac(keys.storedKey, authMessage);
    const clientKey = proof.map((octet, index) => octet ^ signature[index]!);
    if (sameKey(sha256(clientKey), keys.storedKey)) fitting = keys;
  }
  return fitting && { serverSignature: hmac(fitting.serverKey, authMessage), keys: fitting };
}

/**
 * Says why salt and iteration count cannot be SCRAM's.
 *
 * @returns undefined when they can, else the reason in words
 */
export function refuseSalting({ salt, iterations }: Salting): string | undefined {
  if (salt.length === 0) return "its salt is empty";
  if (!Number.isSafeInteger(iterations) || iterations < 4096 || iterations > MOST_ITERATIONS) {
    return `its iteration count is not between 4096 and ${MOST_ITERATIONS}`;
  }
  return undefined;
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(text).digest());
}

function sha256(octets: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(octets).digest());
}
