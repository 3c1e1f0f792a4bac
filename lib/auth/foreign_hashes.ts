/** Checks passwords against hashes that other servers made, one at a time, in a worker. */

import { isSha512Crypt } from "./sha512_crypt.ts";
import { UserDirectoryError } from "../contracts/user_directory.ts";
import type { ForeignHash, ForeignScheme } from "../contracts/user_source.ts";

/** The schemes that can be checked. */
export const FOREIGN_SCHEMES: readonly ForeignScheme[] = ["SHA512-CRYPT", "BLF-CRYPT", "ARGON2ID"];

/** What the worker is asked. */
export interface ForeignQuestion {
  readonly password: string;
  readonly hash: ForeignHash;
}

/** What the worker answers. */
export type ForeignAnswer = { readonly right: boolean } | { readonly trouble: string };

/** No honest password is longer, and SHA512-CRYPT's work grows with its square. */
const MAX_PASSWORD_OCTETS = 1024;
/** How many may wait; each costs the worker up to a second. */
const MAX_WAITING = 1000;
/** $2a$, $2b$ and $2y$ are the same computation for passwords as they are typed. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./0-9A-Za-z]{53}$/;
const ARGON2ID =
  /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,4},p=\d{1,3}\$[+/0-9A-Za-z]+\$[+/0-9A-Za-z]+$/;

/** Whether a name is one of the schemes that can be checked. */
export function isForeignScheme(name: string): name is ForeignScheme {
  return FOREIGN_SCHEMES.some((scheme) => scheme === name);
}

/** Whether a hash has its scheme's form. */
export function isForeignHash({ scheme, data }: ForeignHash): boolean {
  switch (scheme) {
    case "SHA512-CRYPT":
      return isSha512Crypt(data);
    case "BLF-CRYPT":
      return BCRYPT.test(data);
    case "ARGON2ID":
      return ARGON2ID.test(data);
  }
}

/** Checks foreign hashes. The worker lives while there is work, so nothing needs to be closed. */
export class ForeignHashes {
  readonly #waiting: {
    readonly question: ForeignQuestion;
    readonly settle: PromiseWithResolvers<boolean>;
  }[] = [];
  #worker: Worker | undefined;

  /**
   * Checks a password.
   *
   * @throws {UserDirectoryError} when it could not be checked
   */
  verify(password: string, hash: ForeignHash): Promise<boolean> {
    const octets = new TextEncoder().encode(password).length;
    if (octets === 0 || octets > MAX_PASSWORD_OCTETS) return Promise.resolve(false);
    if (this.#waiting.length >= MAX_WAITING) {
      const text = `${MAX_WAITING} logins wait for their first check of an imported password`;
      return Promise.reject(new UserDirectoryError(text));
    }
    const settle = Promise.withResolvers<boolean>();
    this.#waiting.push({ question: { password, hash }, settle });
    if (this.#waiting.length === 1) this.#ask();
    return settle.promise;
  }

  /** Hands the first in line to the worker. */
  #ask(): void {
    this.#worker ??= this.#start();
    const [first] = this.#waiting;
    if (first) this.#worker.postMessage(first.question);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./foreign_hash_worker.ts", import.meta.url), {
      type: "module",
      deno: { permissions: "none" },
    });
    worker.onmessage = ({ data }: MessageEvent<ForeignAnswer>) => this.#answered(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#stop();
      this.#answered({ trouble: event.message });
    };
    return worker;
  }

  #answered(answer: ForeignAnswer): void {
    const first = this.#waiting.shift();
    if (this.#waiting.length > 0) this.#ask();
    else this.#stop();
    if ("right" in answer) return first?.settle.resolve(answer.right);
    const text = `An imported password hash could not be checked: ${answer.trouble}`;
    first?.settle.reject(new UserDirectoryError(text));
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
