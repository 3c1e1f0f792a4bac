/** Listening: opens a port, and hands over each accepted connection once it has a connection slot. */

import { delay } from "../async/delay.ts";
import type { Yielder } from "../async/yielder.ts";
import type { Connection } from "../contracts/connection.ts";
import type { ConnectionSlot, ConnectionSlots } from "../contracts/connection_slots.ts";
import { TcpConnection, type TcpConnectionOptions } from "./tcp_connection.ts";

/** How a listener works. */
export interface ListenerOptions extends TcpConnectionOptions {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Whether other threads listen on the same port. */
  readonly reusePort?: boolean;
  readonly slots: ConnectionSlots;
  /** Serves a connection to its end; must not reject. Its slot is given back when it is closed, or this has settled. */
  readonly serve: (connection: Connection, slot: ConnectionSlot) => Promise<void>;
  /** Lets others have their turn while very many connect. */
  readonly yielder: Yielder;
  /** Told, once for each time of trouble, of errors of the listener itself, such as running out of descriptors. */
  readonly fault: (error: unknown) => void;
  /** Told when connections are accepted again after a fault. */
  readonly recovered?: () => void;
}

/** How long accepting pauses, in milliseconds, when the system has no descriptor or memory for another connection. */
const PAUSE_MS = 100;
/**
 * Connections that wait to be accepted. When more wait, Linux answers by SYN cookies, and a client whose last ACK is lost then
 * waits for ever for a greeting: POP3's server speaks first (seen with Deno's own 511).
 */
const BACKLOG = 4096;
/** How long, in milliseconds, nobody may have come before the backlog of a retiring listener counts as empty. */
const QUIET_MS = 10;
/** How long, in milliseconds, a retiring listener accepts at most: clients that keep coming must not keep it open. */
const RETIRE_MS = 250;

/** An open port. */
export class Listener implements Disposable {
  readonly address: Deno.NetAddr;
  readonly #listener: Deno.TcpListener;
  readonly #options: ListenerOptions;
  /** Connections that were accepted and wait for a slot. */
  readonly #waiting = new Set<Connection>();
  /** Settle when those who wait have been handed over, or cut off. */
  readonly #admitted = new Set<Promise<void>>();
  #accepting: Promise<Deno.TcpConn> | undefined;
  #open = true;
  #retiring = false;
  #disposed = false;
  #faulty = false;

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

  /** Accepts until it is disposed or retires. Never rejects. */
  async run(): Promise<void> {
    const { slots, yielder } = this.#options;
    while (this.#open && !this.#retiring) {
      await slots.available();
      if (yielder.due()) await yielder.pause();
      if (!this.#open || this.#retiring) return;
      const conn = await this.#accept();
      if (conn !== undefined) this.#enter(conn);
    }
  }

  /**
   * Closes the port for good, but serves those who have connected already: they wait for slots as they did in the backlog, where
   * closing the port would have cut them off. Only who connects in the very moment of closing is cut off (Linux can spare these, too:
   * `net.ipv4.tcp_migrate_req=1`).
   *
   * @param closed told when the port is closed
   * @returns settles when the last of them was handed over
   */
  async retire(closed: () => void): Promise<void> {
    this.#retiring = true;
    const end = performance.now() + RETIRE_MS;
    while (this.#open && performance.now() < end) {
      if (await this.#acceptSoon() === "nobody") break;
    }
    this.#close();
    // The system has the port until the accept that was under way is over.
    await this.#accepting?.then(() => {}, () => {});
    await delay(0);
    closed();
    await Promise.all(this.#admitted);
  }

  /** Accepts no more, and cuts off those who wait for a slot; connections that were handed over go on. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#close();
    for (const connection of this.#waiting) connection[Symbol.dispose]();
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#listener.close();
  }

  async #accept(): Promise<Deno.TcpConn | undefined> {
    try {
      const conn = await (this.#accepting ??= this.#listener.accept());
      if (this.#faulty) this.#options.recovered?.();
      this.#faulty = false;
      return conn;
    } catch (error) {
      if (!this.#open || isClientGone(error)) return undefined;
      if (!this.#faulty) this.#options.fault(error);
      this.#faulty = true;
      // A lack of descriptors ends when sessions do.
      if (!this.#options.slots.outOfDescriptors()) await delay(PAUSE_MS);
      return undefined;
    } finally {
      this.#accepting = undefined;
    }
  }

  /** Accepts one who waits in the backlog. */
  async #acceptSoon(): Promise<"somebody" | "nobody"> {
    // The accept that run() has under way is handed over there.
    const accepted = this.#accepting ?? this.#accept().then((conn) => conn && this.#enter(conn));
    const somebody = (): "somebody" => "somebody";
    return await Promise.race([
      accepted.then(somebody, somebody),
      quiet().then((): "nobody" => "nobody"),
    ]);
  }

  /** Serves a connection as soon as it has a slot. */
  #enter(conn: Deno.TcpConn): void {
    if (this.#disposed) return conn.close();
    let connection: TcpConnection;
    try {
      connection = new TcpConnection(conn, this.#options, () => slot.free());
    } catch (error) {
      // The client is gone already: its address can no longer be asked for.
      conn.close();
      if (!isClientGone(error)) this.#options.fault(error);
      return;
    }
    const slot = this.#options.slots.enter(() => connection[Symbol.dispose]());
    if (slot.admitted === undefined) return this.#serve(connection, slot);
    this.#waiting.add(connection);
    const handedOver: Promise<void> = slot.admitted.then((admitted) => {
      this.#waiting.delete(connection);
      this.#admitted.delete(handedOver);
      if (admitted) this.#serve(connection, slot);
    });
    this.#admitted.add(handedOver);
  }

  #serve(connection: Connection, slot: ConnectionSlot): void {
    void this.#options.serve(connection, slot).finally(() => slot.free());
  }
}

/** A client that left before it was served is no fault. */
function isClientGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.BrokenPipe;
}

/** A thread that was late sees its timers before its sockets: only after another turn is it sure that nobody came. */
async function quiet(): Promise<void> {
  await delay(QUIET_MS);
  for (let turn = 0; turn < 3; turn++) await delay(0);
}
