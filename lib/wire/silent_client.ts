/** A client that has said nothing yet. Thousands of them may be open, and no session is made before one of them speaks. */

import type { Connection } from "../contracts/connection.ts";
import type { CloseReason } from "../contracts/event.ts";
import { negative } from "./first_line.ts";
import { IDLE_READ_OCTETS } from "./limits.ts";
import type { Reply } from "./reply.ts";
import type { StallClock, Waiting } from "./stall_guard.ts";

const encoder = new TextEncoder();

/** What is waited for, and how long. */
export interface SilentClientOptions {
  readonly connection: Connection;
  /** Until when the client must have said something, on the clock of `performance.now()`. */
  readonly deadline: number;
  /** Why it is closed then. */
  readonly late: CloseReason;
  readonly clock: StallClock;
  /** Told how many octets were sent. */
  readonly wrote: (octets: number) => void;
}

/** Waits for a client's first octets. */
export class SilentClient implements Waiting {
  readonly #options: SilentClientOptions;
  #closed: CloseReason | undefined;

  constructor(options: SilentClientOptions) {
    this.#options = options;
  }

  /**
   * Waits until the client says something.
   *
   * @param greeting sent before
   * @returns what it says, or why it was closed. Never rejects
   */
  said(greeting?: Uint8Array): Promise<Uint8Array | CloseReason> {
    const { connection, clock, wrote } = this.#options;
    clock.add(this);
    const greeted = greeting && connection.write(greeting).then(wrote);
    const buffer = new Uint8Array(IDLE_READ_OCTETS);
    const octets = connection.read(buffer).then((octets) =>
      octets === null ? null : buffer.subarray(0, octets)
    );
    // Whoever speaks next must find the greeting sent.
    const spoken = greeted === undefined ? octets : greeted.then(() => octets);
    octets.catch(() => {}); // Seen through the greeting, where that has failed as well.
    return spoken.then((octets) => this.#end(octets), () => this.#end(null));
  }

  /** Ends the connection at once. */
  close(reason: CloseReason): void {
    this.#closed ??= reason;
    this.#options.connection[Symbol.dispose]();
  }

  /** Ends the connection, with a last answer where there is one; nobody is kept waiting for it. */
  dismiss(reason: CloseReason, reply: Extract<Reply, { kind: "error" }> | undefined): void {
    if (reply === undefined) return this.close(reason);
    this.#closed ??= reason;
    const { connection, wrote } = this.#options;
    const dispose = (): void => connection[Symbol.dispose]();
    const line = encoder.encode(`${negative(reply.text, reply.code)}\r\n`);
    // Next to nothing was sent before: this is taken at once.
    void connection.write(line).then(wrote).then(dispose, dispose);
  }

  look(now: number): void {
    if (now >= this.#options.deadline) this.close(this.#options.late);
  }

  #end(octets: Uint8Array | null): Uint8Array | CloseReason {
    this.#options.clock.delete(this);
    if (octets !== null && this.#closed === undefined) return octets;
    this.#options.connection[Symbol.dispose]();
    return this.#closed ?? "client-gone";
  }
}
