/** Which hashes of other servers can be checked, how they are written, and how each is checked. */

import { Buffer } from "node:buffer";
import type { ForeignHash, ForeignScheme } from "../../contracts/user_source.ts";
import { CRAM_MD5_OCTETS } from "./cram_md5.ts";
import { isMd5Crypt } from "./md5_crypt.ts";
import { pbkdf2Rounds, scramSha1Rounds } from "./pbkdf2_hashes.ts";
import { isPlainDigest, PLAIN_DIGESTS } from "./plain_digests.ts";
import { isSha256Crypt } from "./sha256_crypt.ts";
import { isSha512Crypt } from "./sha512_crypt.ts";

/** The schemes that can be checked. */
export const FOREIGN_SCHEMES: readonly ForeignScheme[] = [
  "SHA",
  "SSHA",
  "SHA256",
  "SSHA256",
  "SHA512",
  "SSHA512",
  "LDAP-MD5",
  "SMD5",
  "PLAIN-MD5",
  "CRAM-MD5",
  "MD5-CRYPT",
  "SHA256-CRYPT",
  "SHA512-CRYPT",
  "BLF-CRYPT",
  "ARGON2I",
  "ARGON2ID",
  "PBKDF2",
  "SCRAM-SHA-1",
];

/** Other names of schemes. */
const ALIASES: Readonly<Record<string, ForeignScheme>> = {
  "SHA1": "SHA",
  "MD5": "MD5-CRYPT",
  "HMAC-MD5": "CRAM-MD5",
};

/** $2a$, $2b$ and $2y$ are the same computation for passwords as they are typed. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./0-9A-Za-z]{53}$/;
/** RFC 9106, section 3.1: salt of at least 8 octets, tag of at least 4, each lane 8 KiB at least. */
const ARGON2 =
  /^\$(argon2id?)\$v=19\$m=([1-9]\d{0,6}),t=[1-9]\d{0,3},p=([1-9]\d{0,2})\$[+/0-9A-Za-z]{11,}\$[+/0-9A-Za-z]{6,}$/;

/** Which scheme of crypt(3) a hash is of, by its beginning. */
const CRYPT_PREFIXES: readonly (readonly [string, ForeignScheme])[] = [
  ["$1$", "MD5-CRYPT"],
  ["$5$", "SHA256-CRYPT"],
  ["$6$", "SHA512-CRYPT"],
  ["$2", "BLF-CRYPT"],
  ["$argon2id$", "ARGON2ID"],
  ["$argon2i$", "ARGON2I"],
];

/** The scheme of a name, by itself or by another one; undefined where it can not be checked. */
export function foreignScheme(name: string): ForeignScheme | undefined {
  return ALIASES[name] ?? FOREIGN_SCHEMES.find((scheme) => scheme === name);
}

/** The scheme of a hash that names none (`{CRYPT}`, or nothing in front); undefined where it is none of crypt(3)'s that are known. */
export function cryptScheme(data: string): ForeignScheme | undefined {
  return CRYPT_PREFIXES.find(([prefix]) => data.startsWith(prefix))?.[1];
}

/** How a field's data are written: as the scheme has it, or as its suffix says. */
export type DataEncoding = "own" | "base64" | "hex";

/**
 * Reads the data of a scheme, as {@linkcode ForeignHash.data} has them.
 *
 * @returns undefined when they have not the scheme's form
 */
export function readForeignData(
  scheme: ForeignScheme,
  data: string,
  encoding: DataEncoding,
): string | undefined {
  const digest = PLAIN_DIGESTS[scheme];
  const octetsOf = scheme === "CRAM-MD5" ? CRAM_MD5_OCTETS : digest?.octets;
  if (octetsOf === undefined) {
    const text = encoding === "own" ? data : decode(data, encoding)?.toString("utf8");
    return text !== undefined && hasForm({ scheme, data: text }) ? text : undefined;
  }
  // Of digests without a salt the length tells how they are written, as in Dovecot.
  const looksHex = digest?.salted !== true && data.length === 2 * octetsOf;
  const octets = decode(data, encoding === "own" ? (looksHex ? "hex" : "base64") : encoding);
  if (octets === undefined) return undefined;
  const fits = digest === undefined ? octets.length === octetsOf : isPlainDigest(digest, octets);
  return fits ? octets.toString("base64") : undefined;
}

function decode(data: string, encoding: "base64" | "hex"): Buffer | undefined {
  const form = encoding === "hex" ? /^(?:[0-9a-f]{2})+$/i : /^[+/0-9A-Za-z]+=*$/;
  return form.test(data) ? Buffer.from(data, encoding) : undefined;
}

/** Decodes a password in clear (`{PLAIN.b64}`); undefined when it is not so written. */
export function decodeClear(data: string, encoding: DataEncoding): string | undefined {
  return encoding === "own" ? data : decode(data, encoding)?.toString("utf8");
}

function hasForm({ scheme, data }: ForeignHash): boolean {
  switch (scheme) {
    case "MD5-CRYPT":
      return isMd5Crypt(data);
    case "SHA256-CRYPT":
      return isSha256Crypt(data);
    case "SHA512-CRYPT":
      return isSha512Crypt(data);
    case "BLF-CRYPT":
      return BCRYPT.test(data);
    case "PBKDF2":
      return pbkdf2Rounds(data) !== undefined;
    case "SCRAM-SHA-1":
      return scramSha1Rounds(data) !== undefined;
    case "ARGON2I":
    case "ARGON2ID": {
      const [, variant, memory, lanes] = ARGON2.exec(data) ?? [];
      return variant === scheme.toLowerCase() && Number(memory) >= 8 * Number(lanes);
    }
    default:
      return false;
  }
}
