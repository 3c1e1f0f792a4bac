/** What stands between failed logins and the next try. */

import type { Settings } from "../settings/settings.ts";
import type { Credentials } from "../users/gate.ts";

/** Slows those who guess. */
export interface LoginGuard {
  /** Whether an address may not even greet. */
  banned(address: string): boolean;
  /** Notes a failure and waits as long as it costs. */
  failed(address: string, credentials: Credentials): Promise<void>;
  /** Notes a good login. */
  succeeded(address: string, user: string): void;
}

/** The same delay after every failure. */
export class FixedDelay implements LoginGuard {
  readonly #settings: () => Settings;

  constructor(settings: () => Settings) {
    this.#settings = settings;
  }

  banned(): boolean {
    return false;
  }

  failed(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#settings().authDelay * 1000));
  }

  succeeded(): void {}
}
