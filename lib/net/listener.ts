/** Listening: opens a port and hands over each accepted connection, no faster than there are places for. */

import type { Connection } from "./connection.ts";
import type { Seats } from "./seats.ts";
import { TcpConnection, type TcpConnectionOptions } from "./tcp_connection.ts";

/** How a listener works. */
export interface ListenerOptions extends TcpConnectionOptions {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Whether other threads listen on the same port. */
  readonly reusePort?: boolean;
  readonly seats: Seats;
  /** Serves a connection to its end; must not reject. */
  readonly serve: (connection: Connection) => Promise<void>;
  /** Told of errors of the listener itself, such as running out of descriptors. */
  readonly fault: (error: unknown) => void;
}

/** How long accepting pauses, in milliseconds, when the system has no descriptor or memory for another connection. */
const PAUSE_MS = 100;

/**
 * Connections that wait to be accepted. When more wait, Linux answers by SYN cookies, and a client whose last ACK is lost then
 * waits for ever for a greeting: POP3's server speaks first (seen with Deno's own 511).
 */
const BACKLOG = 4096;

/** An open port. */
export class Listener implements Disposable {
  readonly address: Deno.NetAddr;
  readonly #listener: Deno.TcpListener;
  readonly #options: ListenerOptions;
  #open = true;

  /**
   * Opens the port; connections wait in the backlog until {@linkcode Listener.run}.
   *
   * @throws {Deno.errors.AddrInUse | Deno.errors.PermissionDenied | Deno.errors.AddrNotAvailable} when it cannot be opened
   */
  constructor(options: ListenerOptions) {
    const { hostname, port, reusePort = false } = options;
    this.#listener = Deno.listen({ hostname, port, reusePort, tcpBacklog: BACKLOG });
    this.#options = options;
    this.address = this.#listener.addr;
  }

  /** Accepts until it is disposed. Never rejects. */
  async run(): Promise<void> {
    const { seats } = this.#options;
    while (this.#open) {
      await seats.available();
      const conn = await this.#accept();
      if (conn === undefined) continue;
      // Another listener may have given the last place away meanwhile: this client then waits here instead of in the backlog.
      await seats.take();
      this.#serve(conn);
    }
  }

  /** Accepts no more; connections that were handed over go on. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#listener.close();
  }

  async #accept(): Promise<Deno.TcpConn | undefined> {
    try {
      return await this.#listener.accept();
    } catch (error) {
      if (!this.#open) return undefined;
      // A client that left before it was accepted is no fault; a lack of descriptors ends when sessions do.
      if (
        error instanceof Deno.errors.ConnectionAborted ||
        error instanceof Deno.errors.ConnectionReset
      ) return undefined;
      this.#options.fault(error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      return undefined;
    }
  }

  #serve(conn: Deno.TcpConn): void {
    const { seats, serve, fault } = this.#options;
    let connection;
    try {
      connection = new TcpConnection(conn, this.#options);
    } catch (error) {
      // The client is gone already: its address can no longer be asked for.
      seats.free();
      conn.close();
      if (!(error instanceof Deno.errors.NotConnected)) fault(error);
      return;
    }
    serve(connection).finally(() => seats.free());
  }
}
