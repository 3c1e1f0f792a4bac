/** A connection of which something has been read that belongs to whoever reads next. */

import type { Connection, Endpoint, TlsFacts } from "../contracts/connection.ts";

/** How it differs from the connection below. */
export interface PrefixedOptions {
  readonly peer?: Endpoint | undefined;
  readonly local?: Endpoint | undefined;
  /** Takes the server's side of a TLS handshake. */
  readonly upgrade?: ((connection: Connection) => Promise<Connection>) | undefined;
}

/** First gives what was read before. */
export class PrefixedConnection implements Connection {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts | undefined = undefined;
  readonly startTls?: () => Promise<Connection>;
  readonly #raw: Connection;
  #before: Uint8Array;

  /**
   * @param raw in clear; belongs to this connection from now on
   * @param before what was read of it
   */
  constructor(raw: Connection, before: Uint8Array, { peer, local, upgrade }: PrefixedOptions = {}) {
    this.#raw = raw;
    this.#before = before;
    this.peer = peer ?? raw.peer;
    this.local = local ?? raw.local;
    if (upgrade !== undefined) this.startTls = () => upgrade(this);
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#before.length === 0) return this.#raw.read(into);
    const count = Math.min(into.length, this.#before.length);
    into.set(this.#before.subarray(0, count));
    this.#before = this.#before.subarray(count);
    return Promise.resolve(count);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#raw.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#raw.closeWrite();
  }

  [Symbol.dispose](): void {
    this.#raw[Symbol.dispose]();
  }
}
