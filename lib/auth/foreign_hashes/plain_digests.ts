/** Password schemes of one digest over password and salt, without any work factor: SHA, SSHA, LDAP-MD5, PLAIN-MD5 and the like. */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { ForeignScheme } from "../../contracts/user_source.ts";

/** What a scheme computes. */
interface Digest {
  readonly algorithm: string;
  readonly octets: number;
  /** Whether a salt follows the digest. */
  readonly salted: boolean;
}

/** The schemes, by name. */
export const PLAIN_DIGESTS: Readonly<Partial<Record<ForeignScheme, Digest>>> = {
  "SHA": { algorithm: "sha1", octets: 20, salted: false },
  "SSHA": { algorithm: "sha1", octets: 20, salted: true },
  "SHA256": { algorithm: "sha256", octets: 32, salted: false },
  "SSHA256": { algorithm: "sha256", octets: 32, salted: true },
  "SHA512": { algorithm: "sha512", octets: 64, salted: false },
  "SSHA512": { algorithm: "sha512", octets: 64, salted: true },
  "LDAP-MD5": { algorithm: "md5", octets: 16, salted: false },
  "SMD5": { algorithm: "md5", octets: 16, salted: true },
  "PLAIN-MD5": { algorithm: "md5", octets: 16, salted: false },
};

/** Octets of a salt, at most. */
const MOST_SALT = 256;

/** Whether octets can be such a digest, with its salt where the scheme has one. */
export function isPlainDigest({ octets, salted }: Digest, hash: Uint8Array): boolean {
  const salt = hash.length - octets;
  return salted ? salt > 0 && salt <= MOST_SALT : salt === 0;
}

/** Checks a password. @param data digest and salt in base64 */
export function verifyPlainDigest(
  { algorithm, octets }: Digest,
  password: string,
  data: string,
): boolean {
  const hash = Buffer.from(data, "base64");
  const found = createHash(algorithm).update(password).update(hash.subarray(octets)).digest();
  return timingSafeEqual(found, hash.subarray(0, octets));
}
