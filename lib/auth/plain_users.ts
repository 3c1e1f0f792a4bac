/** Users in memory, given in clear: what tests and a server without a state work with. */

import { madeUpSalting } from "./source_directory.ts";
import { DEFAULT_ITERATIONS } from "./scram_keys.ts";
import type { FoundUser, ScramKeys, UserSource } from "../contracts/user_source.ts";

/** Users by name, with their passwords. */
export class PlainUsers implements UserSource {
  readonly costliestForeign = undefined;
  readonly #secret: Uint8Array;
  readonly #iterations: number;
  readonly #users = new Map<string, { readonly revision: number; readonly password: string }>();
  readonly #learned = new Map<string, ScramKeys>();
  #revision = 0;

  /**
   * Makes a source.
   *
   * @param entries names and passwords
   * @param options.secret keys the salts
   */
  constructor(
    entries: Iterable<readonly [name: string, password: string]>,
    options: { readonly secret: Uint8Array; readonly iterations?: number },
  ) {
    this.#secret = options.secret;
    this.#iterations = options.iterations ?? DEFAULT_ITERATIONS;
    for (const [name, password] of entries) this.set(name, password);
  }

  /** Adds a user, or changes the password. */
  set(name: string, password: string): void {
    this.#users.set(name, { revision: ++this.#revision, password });
    this.#learned.delete(name);
  }

  /** Removes a user. Returns whether there was one. */
  delete(name: string): boolean {
    this.#learned.delete(name);
    return this.#users.delete(name);
  }

  find(name: string): Promise<FoundUser | undefined> {
    const user = this.#users.get(name);
    if (!user) return Promise.resolve(undefined);
    const learned = this.#learned.get(name);
    return Promise.resolve({
      name,
      revision: `memory ${user.revision}`,
      ...madeUpSalting(this.#secret, name, this.#iterations),
      keys: learned ? [learned] : [],
      clear: user.password,
    });
  }

  learn(user: FoundUser, keys: ScramKeys): Promise<void> {
    const revision = this.#users.get(user.name)?.revision;
    if (user.revision === `memory ${revision}`) this.#learned.set(user.name, keys);
    return Promise.resolve();
  }
}
