/** What may be said without TLS, and to whom (operations.md, `--cleartext-networks` and `--require-tls`). */

import type { Settings } from "../contracts/settings.ts";
import { isLoopback, NetworkLists } from "../net/networks.ts";

/** What an address may say in clear. */
export interface InClear {
  /** Whether it may log in. */
  readonly clearAllowed: boolean;
  /** Whether mechanisms that send the password as it is are offered: to loopback, and to networks that are named. */
  readonly plainInClear: boolean;
}

const NOTHING: InClear = { clearAllowed: false, plainInClear: false };
const ALL: InClear = { clearAllowed: true, plainInClear: true };

/** The rules of one thread. Where there is TLS to turn to, logins can be kept to some networks. */
export class LoginsInClear {
  readonly #hasTls: boolean;
  readonly #lists = new NetworkLists();

  constructor(hasTls: boolean) {
    this.#hasTls = hasTls;
  }

  /** What an address may say. */
  of(
    { cleartextNetworks, requireTls }: Pick<Settings, "cleartextNetworks" | "requireTls">,
    address: string,
  ): InClear {
    if (requireTls) return NOTHING;
    if (!this.#hasTls) return ALL;
    if (cleartextNetworks === undefined) {
      return { clearAllowed: true, plainInClear: isLoopback(address) };
    }
    return this.#lists.of(cleartextNetworks).holds(address) ? ALL : NOTHING;
  }
}
