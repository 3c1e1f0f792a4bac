/** What checking a password against another server's hash costs, told from the hash alone: the same on every machine. */

import { pbkdf2Rounds, scramSha1Rounds } from "./pbkdf2_hashes.ts";
import type { ForeignHash } from "../../contracts/user_source.ts";

/** The cost of one check. */
export interface HashCost {
  /** About as many as it takes one core of the machine that docs/decisions/0031 names. */
  readonly milliseconds: number;
  readonly mebibytes: number;
}

/** Rounds of SHA256-CRYPT and SHA512-CRYPT where the hash names none, and the least and most that it can mean. */
export const SHA_CRYPT_ROUNDS = { usual: 5000, least: 1000, most: 999_999_999 } as const;

/** What one check may cost (spec: mailboxes.md, "Users from elsewhere"). */
const MOST_MILLISECONDS = 1000;
const MOST_MEBIBYTES = 256;

/**
 * Measured: milliseconds of a round of SHA512-CRYPT and SHA256-CRYPT, of PBKDF2 with HMAC-SHA-1, of all of MD5-CRYPT, of bcrypt at cost
 * 0, of a KiB that Argon2 passes once.
 */
const SHA512_ROUND = 0.0008;
const SHA256_ROUND = 0.003;
const PBKDF2_ROUND = 0.0006;
const MD5_CRYPT = 4;
const BCRYPT_UNIT = 0.074;
const ARGON2_KIBIBYTE = 0.0021;

/** One digest. */
const NOTHING: HashCost = { milliseconds: 0, mebibytes: 0 };

/** What checking a hash costs. @param hash one that has its scheme's form */
export function costOf({ scheme, data }: ForeignHash): HashCost {
  switch (scheme) {
    case "SHA256-CRYPT":
    case "SHA512-CRYPT": {
      const { usual, least, most } = SHA_CRYPT_ROUNDS;
      const given = Number(/^\$[56]\$rounds=(\d+)\$/.exec(data)?.[1] ?? usual);
      const round = scheme === "SHA512-CRYPT" ? SHA512_ROUND : SHA256_ROUND;
      return { milliseconds: Math.max(least, Math.min(given, most)) * round, mebibytes: 0 };
    }
    case "MD5-CRYPT":
      return { milliseconds: MD5_CRYPT, mebibytes: 0 };
    case "PBKDF2":
      return { milliseconds: (pbkdf2Rounds(data) ?? 0) * PBKDF2_ROUND, mebibytes: 0 };
    case "SCRAM-SHA-1":
      return { milliseconds: (scramSha1Rounds(data) ?? 0) * PBKDF2_ROUND, mebibytes: 0 };
    case "BLF-CRYPT":
      return { milliseconds: BCRYPT_UNIT * 2 ** Number(data.slice(4, 6)), mebibytes: 0 };
    case "ARGON2I":
    case "ARGON2ID": {
      const [, memory = 0, passes = 0] = (/\$m=(\d+),t=(\d+),/.exec(data) ?? []).map(Number);
      return { milliseconds: memory * passes * ARGON2_KIBIBYTE, mebibytes: memory / 1024 };
    }
    default:
      return NOTHING;
  }
}

/**
 * Says why a hash costs too much to be checked.
 *
 * @returns undefined when it does not, else the reason in words
 */
export function refuseCost(hash: ForeignHash): string | undefined {
  const { milliseconds, mebibytes } = costOf(hash);
  if (mebibytes > MOST_MEBIBYTES) {
    return `checking it would take ${
      Math.ceil(mebibytes)
    } MiB of memory; ${MOST_MEBIBYTES} are allowed`;
  }
  if (milliseconds <= MOST_MILLISECONDS) return undefined;
  const seconds = milliseconds < 10_000
    ? Math.ceil(milliseconds / 100) / 10
    : Math.ceil(milliseconds / 1000);
  return `checking it would take about ${seconds} seconds; ${MOST_MILLISECONDS / 1000} is allowed`;
}
