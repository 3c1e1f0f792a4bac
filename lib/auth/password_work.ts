/** The slow work on passwords, done beside the event loop, and only so much of it at once. */

import { passwordOctets } from "./password_text.ts";
import { scramKeys } from "./scram_keys.ts";
import type { Salting, ScramKeys } from "../contracts/user_source.ts";

/** How the work is done. */
export interface PasswordWorkOptions {
  /**
   * How many derivations run at once; more would take the threads that files are read with.
   *
   * @default {navigator.hardwareConcurrency}
   */
  readonly concurrent?: number;
}

/** Derives SCRAM keys from passwords by WebCrypto's PBKDF2, whose threads leave the event loop free. */
export class PasswordWork {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** Makes one; a server has one for all that check passwords. */
  constructor(options: PasswordWorkOptions = {}) {
    this.#free = options.concurrent ?? navigator.hardwareConcurrency;
  }

  /** Derives the keys of a password: about 1 ms with 4096 iterations. */
  async derive(password: string, { salt, iterations }: Salting): Promise<ScramKeys> {
    await this.#enter();
    try {
      const key = await crypto.subtle.importKey(
        "raw",
        passwordOctets(password),
        "PBKDF2",
        false,
        ["deriveBits"],
      );
      const algorithm = {
        name: "PBKDF2",
        hash: "SHA-256",
        salt: Uint8Array.from(salt),
        iterations,
      };
      return scramKeys(new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 256)));
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes to the next in line, or becomes free. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
