/** A connection in clear: an accepted `Deno.TcpConn`. */

import type { Connection, Endpoint, TlsFacts } from "../contracts/connection.ts";
import { endpointOf } from "./endpoint.ts";

/** What a connection in clear is made of. */
export interface TcpConnectionOptions {
  /** Takes the server's side of a TLS handshake; absent where no certificate is configured. */
  readonly upgrade?: (connection: Connection) => Promise<Connection>;
}

/** An accepted TCP connection, without Nagle's algorithm: an answer in two segments would cost the client 40 ms. */
export class TcpConnection implements Connection {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts | undefined = undefined;
  readonly startTls?: () => Promise<Connection>;
  readonly #conn: Deno.TcpConn;
  readonly #closed: (() => void) | undefined;
  #open = true;
  #hasWritten = false;
  #isQuick = false;

  /**
   * @param conn belongs to this connection from now on
   * @param closed told when it is closed
   */
  constructor(conn: Deno.TcpConn, options: TcpConnectionOptions = {}, closed?: () => void) {
    this.#conn = conn;
    this.#closed = closed;
    this.peer = endpointOf(conn.remoteAddr);
    this.local = endpointOf(conn.localAddr);
    const { upgrade } = options;
    if (upgrade !== undefined) this.startTls = () => upgrade(this);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(octets: Uint8Array): Promise<number> {
    if (this.#hasWritten && !this.#isQuick) this.#hurry();
    this.#hasWritten = true;
    return this.#conn.write(octets);
  }

  /** A first write leaves at once anyway: a client that is greeted and says nothing is spared this call. */
  #hurry(): void {
    this.#isQuick = true;
    try {
      this.#conn.setNoDelay(true);
    } catch {
      // The connection is broken or closed, which the write tells.
    }
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#conn.close();
    this.#closed?.();
  }
}
