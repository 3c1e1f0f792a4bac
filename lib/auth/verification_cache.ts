/** Remembers which passwords were found right, so that the next login costs microseconds. */

import { createHash, type Hash, randomBytes, timingSafeEqual } from "node:crypto";

/** How much is remembered, and under which key. */
export interface VerificationCacheOptions {
  /**
   * How many passwords are remembered; the least recently used go first.
   *
   * @default {100_000}
   */
  readonly entries?: number;
  /** Keys the hashes; random for each process unless given. */
  readonly key?: Uint8Array;
}

/**
 * Passwords that were right, as keyed hashes only. Each is bound to the revision of the user's secrets that it was right for,
 * so that any change of them makes it worthless.
 */
export class VerificationCache {
  readonly #entries: number;
  readonly #key: Uint8Array;
  /** From keyed hash of name and password to revision and label, in the order of use. */
  readonly #right = new Map<string, string>();

  /** Makes an empty one. */
  constructor(options: VerificationCacheOptions = {}) {
    this.#entries = options.entries ?? 100_000;
    this.#key = options.key ?? randomBytes(32);
  }

  /** How many passwords are remembered. */
  get size(): number {
    return this.#right.size;
  }

  /**
   * Whether this password was found right for these secrets. The hash is keyed, so looking it up tells an attacker nothing.
   *
   * @returns undefined when it was not, else the app password's label; empty for the user's password
   */
  knows(name: string, revision: string, password: string): string | undefined {
    const hash = this.#hash(name, password);
    const known = this.#right.get(hash);
    if (known === undefined) return undefined;
    this.#right.delete(hash);
    if (!known.startsWith(`${revision}\n`)) return undefined;
    this.#right.set(hash, known);
    return known.slice(revision.length + 1);
  }

  /** Remembers a password that was found right. @param label the app password's, where it is one */
  remember(name: string, revision: string, password: string, label = ""): void {
    const hash = this.#hash(name, password);
    this.#right.delete(hash);
    this.#right.set(hash, `${revision}\n${label}`);
    if (this.#right.size <= this.#entries) return;
    for (const oldest of this.#right.keys()) {
      this.#right.delete(oldest);
      break;
    }
  }

  /** Compares two texts in constant time, whatever their lengths. */
  sameText(one: string, other: string): boolean {
    return timingSafeEqual(this.#keyed("", one).digest(), this.#keyed("", other).digest());
  }

  #hash(name: string, password: string): string {
    return this.#keyed(name, password).digest("hex");
  }

  /** SHA-512/256 behind a secret key: its cut end rules out lengthening, which HMAC guards against at four times the cost. */
  #keyed(name: string, password: string): Hash {
    // A name holds no control character, so the pair is told apart.
    return createHash("sha512-256").update(this.#key).update(`${name}\n${password}`);
  }
}
