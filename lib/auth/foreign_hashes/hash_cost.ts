/** What checking a password against another server's hash costs, told from the hash alone: the same on every machine. */

import type { ForeignHash } from "../../contracts/user_source.ts";

/** The cost of one check. */
export interface HashCost {
  /** About as many as it takes one core of the machine that docs/decisions/0031 names. */
  readonly milliseconds: number;
  readonly mebibytes: number;
}

/** Rounds of SHA512-CRYPT where the hash names none, and the least and most that it can mean. */
export const SHA512_ROUNDS = { usual: 5000, least: 1000, most: 999_999_999 } as const;

/** What one check may cost (spec: mailboxes.md, "Users from elsewhere"). */
const MOST_MILLISECONDS = 1000;
const MOST_MEBIBYTES = 256;

/** Measured: milliseconds of a round of SHA512-CRYPT, of bcrypt at cost 0, of a KiB that Argon2 passes once. */
const SHA512_ROUND = 0.0008;
const BCRYPT_UNIT = 0.074;
const ARGON2_KIBIBYTE = 0.0021;

/** What checking a hash costs. @param hash one that has its scheme's form */
export function costOf({ scheme, data }: ForeignHash): HashCost {
  switch (scheme) {
    case "SHA512-CRYPT": {
      const { usual, least, most } = SHA512_ROUNDS;
      const given = Number(/^\$6\$rounds=(\d+)\$/.exec(data)?.[1] ?? usual);
      return { milliseconds: Math.max(least, Math.min(given, most)) * SHA512_ROUND, mebibytes: 0 };
    }
    case "BLF-CRYPT":
      return { milliseconds: BCRYPT_UNIT * 2 ** Number(data.slice(4, 6)), mebibytes: 0 };
    case "ARGON2ID": {
      const [, memory = 0, passes = 0] = (/\$m=(\d+),t=(\d+),/.exec(data) ?? []).map(Number);
      return { milliseconds: memory * passes * ARGON2_KIBIBYTE, mebibytes: memory / 1024 };
    }
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
