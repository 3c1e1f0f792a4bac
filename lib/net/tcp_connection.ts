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
  #open = true;

  /** @param conn belongs to this connection from now on */
  constructor(conn: Deno.TcpConn, options: TcpConnectionOptions = {}) {
    this.#conn = conn;
    this.peer = endpointOf(conn.remoteAddr);
    this.local = endpointOf(conn.localAddr);
    const { upgrade } = options;
    if (upgrade !== undefined) this.startTls = () => upgrade(this);
    conn.setNoDelay(true);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(octets: Uint8Array): Promise<number> {
    return this.#conn.write(octets);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#conn.close();
  }
}
