/** TLS handshakes under way in one thread: not more of them than memory is meant for. */

import type { Connection } from "../contracts/connection.ts";
import type { SecureContexts } from "./secure_contexts.ts";
import { acceptTls } from "./tls_connection.ts";

/** How long, in milliseconds, a client may take for a handshake. */
export const HANDSHAKE_MS = 15_000;
/** Handshakes at once; each takes some 60 KiB. When there are more, the oldest is given up: a good client needs a fraction of a second. */
const MOST_HANDSHAKES = 1000;

/** The handshakes of one thread. */
export class Handshakes {
  readonly #contexts: SecureContexts;
  /** The connections that shake hands, the oldest first. */
  readonly #underWay = new Set<Connection>();

  constructor(contexts: SecureContexts) {
    this.#contexts = contexts;
  }

  /**
   * Takes the server's side of a handshake.
   *
   * @param timeout milliseconds for all of it
   * @throws {HandshakeError} when it comes to nothing; `raw` is closed then
   */
  async accept(raw: Connection, timeout: number = HANDSHAKE_MS): Promise<Connection> {
    this.#underWay.add(raw);
    if (this.#underWay.size > MOST_HANDSHAKES) this.#giveUpOldest();
    try {
      return await acceptTls(raw, { contexts: this.#contexts, handshakeTimeout: timeout });
    } finally {
      this.#underWay.delete(raw);
    }
  }

  #giveUpOldest(): void {
    for (const connection of this.#underWay) {
      this.#underWay.delete(connection);
      return connection[Symbol.dispose]();
    }
  }
}
