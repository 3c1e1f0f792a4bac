/** The in-memory twin of a connection: both ends in one process, with the same waiting. */

import type { Connection, Endpoint, TlsFacts } from "../contracts/connection.ts";

/** What the two ends of an in-memory connection may be told. */
export interface MemoryConnectionOptions {
  readonly peer?: Endpoint;
  readonly local?: Endpoint;
  readonly tls?: TlsFacts;
  /** Gives the server's end a TLS upgrade: these facts hold afterwards, and the octets stay as they are. */
  readonly upgrade?: TlsFacts;
  /** Octets that each direction holds before a writer waits. */
  readonly capacity?: number;
}

/** One direction: octets written and not yet read. */
class Pipe {
  readonly #capacity: number;
  #octets = new Uint8Array(0);
  #ended = false;
  #broken = false;
  #waiting: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#octets.length === 0) {
      if (this.#broken) throw new Deno.errors.ConnectionReset("The other end is gone");
      if (this.#ended) return null;
      await this.#change();
    }
    const taken = this.#octets.subarray(0, into.length);
    into.set(taken);
    this.#octets = this.#octets.slice(taken.length);
    this.#changed();
    return taken.length;
  }

  async write(octets: Uint8Array): Promise<number> {
    while (!this.#broken && !this.#ended && this.#octets.length >= this.#capacity) {
      await this.#change();
    }
    if (this.#broken || this.#ended) throw new Deno.errors.BrokenPipe("The other end is gone");
    const taken = octets.subarray(0, this.#capacity - this.#octets.length);
    const joined = new Uint8Array(this.#octets.length + taken.length);
    joined.set(this.#octets);
    joined.set(taken, this.#octets.length);
    this.#octets = joined;
    this.#changed();
    return taken.length;
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  break(): void {
    this.#broken = true;
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** One end of an in-memory connection. */
export class MemoryConnection implements Connection {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts | undefined;
  readonly startTls?: () => Promise<Connection>;
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;

  private constructor(incoming: Pipe, outgoing: Pipe, options: MemoryConnectionOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.peer = options.peer ?? { address: "192.0.2.7", port: 50_000 };
    this.local = options.local ?? { address: "192.0.2.1", port: 110 };
    this.tls = options.tls;
    const { upgrade, ...others } = options;
    if (upgrade !== undefined) {
      this.startTls = () =>
        Promise.resolve(new MemoryConnection(incoming, outgoing, { ...others, tls: upgrade }));
    }
  }

  /** Makes a connection; `options` tell the server's end about itself. */
  static pair(
    options: MemoryConnectionOptions = {},
  ): { client: MemoryConnection; server: MemoryConnection } {
    const toServer = new Pipe(options.capacity ?? 65_536);
    const toClient = new Pipe(options.capacity ?? 65_536);
    const server = new MemoryConnection(toServer, toClient, options);
    const client = new MemoryConnection(toClient, toServer, {
      peer: server.local,
      local: server.peer,
    });
    return { client, server };
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.read(into);
  }

  write(octets: Uint8Array): Promise<number> {
    return this.#outgoing.write(octets);
  }

  closeWrite(): Promise<void> {
    this.#outgoing.end();
    return Promise.resolve();
  }

  /** Breaks both directions, as a TCP reset does. */
  reset(): void {
    this.#outgoing.break();
    this.#incoming.break();
  }

  [Symbol.dispose](): void {
    this.#outgoing.end();
    this.#incoming.break();
  }
}
