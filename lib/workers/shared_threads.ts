/** What session workers share by memory, and the numbers by which they are known in it. */

import { AddressConnections, addressMemory } from "../net/address_connections.ts";
import { SharedConnectionSlots } from "../net/shared_connection_slots.ts";
import { slotMemory } from "../net/slot_counters.ts";
import { StartError } from "../net/start_error.ts";
import type { WorkerSetup } from "./messages.ts";

/** Workers of one generation and those that still drain. */
const MAX_THREADS = 1024;

/** The shared memory of all workers. */
export class SharedThreads {
  /** The connection slots of all workers. */
  readonly slots: SharedConnectionSlots;
  readonly #slots: SharedArrayBuffer;
  readonly #addresses = addressMemory();
  /** Numbers that are not in use, the lowest last. */
  readonly #unused = Array.from({ length: MAX_THREADS }, (_, index) => MAX_THREADS - 1 - index);

  /** @param maxConnections how many connections are served at once */
  constructor(maxConnections: number) {
    this.#slots = slotMemory(maxConnections, MAX_THREADS + 1);
    this.slots = new SharedConnectionSlots({ memory: this.#slots, thread: MAX_THREADS });
  }

  /**
   * Takes a number for a worker that is to start.
   *
   * @throws {StartError} when there are too many
   */
  take(): Pick<WorkerSetup, "thread" | "slots" | "addresses"> {
    const thread = this.#unused.pop();
    if (thread === undefined) {
      throw new StartError(
        `More than ${MAX_THREADS} workers are in use; wait until old ones have ended`,
      );
    }
    return {
      thread,
      slots: this.#slots,
      addresses: this.#addresses,
    };
  }

  /** Gives back a worker's number, and all that it held. */
  free(thread: number): void {
    new SharedConnectionSlots({ memory: this.#slots, thread }).forgetThread();
    new AddressConnections(this.#addresses, thread).forgetThread();
    this.#unused.push(thread);
  }
}
