/** How many connections each client network has, in all threads: tables in shared memory, so that nobody need be asked. */

import { addressGroup, parseAddress } from "./networks.ts";

/** A bucket holds this many networks; a thread's table has this many buckets. */
const CELLS = 16;
const BUCKETS = 1024;
/** A cell: the network's two words, and how many connections it has. */
const CELL = 3;
const TABLE = BUCKETS * CELLS * CELL;
/** Threads that have a table by default. It takes 192 KiB once it is used. */
const MOST_THREADS = 128;
/** Before the tables: what hashes begin with, and how many tables are in use. */
const SEED = 0;
const USED = 1;
const HEAD = 2;

/** Where a connection is counted: given back to {@linkcode AddressConnections.leave}. */
export type AddressCell = number | undefined;

/**
 * One thread's view of all threads' tables. Only the thread itself writes its table, so that no lock is needed; a sum that is read while
 * another thread counts may be one too many or too few.
 */
export class AddressConnections {
  readonly #memory: Int32Array;
  readonly #own: number | undefined;

  /**
   * @param memory from {@linkcode addressMemory}
   * @param thread which of the threads this is
   */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#memory = new Int32Array(memory);
    const own = HEAD + thread * TABLE;
    this.#own = own < this.#memory.length ? own : undefined;
    if (this.#own === undefined) return;
    for (let used = this.#used; used <= thread; used = this.#used) {
      Atomics.compareExchange(this.#memory, USED, used, thread + 1);
    }
  }

  /** Counts for one thread alone. */
  static ofOneThread(): AddressConnections {
    return new AddressConnections(addressMemory(1), 0);
  }

  /**
   * Counts a connection for its network, which {@linkcode addressGroup} names.
   *
   * @returns how many the network has now, in all threads
   */
  enter(address: string): { readonly cell: AddressCell; readonly count: number } {
    const network = wordsOf(address);
    if (network === undefined || this.#own === undefined) return { cell: undefined, count: 1 };
    const bucket = this.#bucketOf(network);
    const cell = this.#cellFor(network, this.#own + bucket);
    if (cell === undefined) return { cell, count: 1 };
    Atomics.add(this.#memory, cell + 2, 1);
    let count = 0;
    for (let table = 0; table < this.#used; table++) {
      count += this.#count(network, HEAD + table * TABLE + bucket);
    }
    return { cell, count };
  }

  /** Counts a connection no more. */
  leave(cell: AddressCell): void {
    if (cell !== undefined) Atomics.sub(this.#memory, cell + 2, 1);
  }

  /** Counts nothing of this thread any more: it is gone. */
  forgetThread(): void {
    if (this.#own !== undefined) this.#memory.fill(0, this.#own, this.#own + TABLE);
  }

  get #used(): number {
    return Atomics.load(this.#memory, USED);
  }

  /** Where in a table a network's bucket begins. Nobody outside can choose networks that meet in one, for the seed is secret. */
  #bucketOf([high, low]: Words): number {
    let hash = this.#memory[SEED]! ^ high;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) ^ low;
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
    return ((hash ^ (hash >>> 15)) >>> 0) % BUCKETS * CELLS * CELL;
  }

  /** The network's cell in this thread's table; undefined when its bucket is full of others, which is then not counted. */
  #cellFor([high, low]: Words, bucket: number): number | undefined {
    let unused: number | undefined;
    for (let cell = bucket; cell < bucket + CELLS * CELL; cell += CELL) {
      if (Atomics.load(this.#memory, cell + 2) === 0) unused ??= cell;
      else if (this.#holds(cell, high, low)) return cell;
    }
    if (unused === undefined) return undefined;
    Atomics.store(this.#memory, unused, high);
    Atomics.store(this.#memory, unused + 1, low);
    return unused;
  }

  #count([high, low]: Words, bucket: number): number {
    for (let cell = bucket; cell < bucket + CELLS * CELL; cell += CELL) {
      const count = Atomics.load(this.#memory, cell + 2);
      if (count > 0 && this.#holds(cell, high, low)) return count;
    }
    return 0;
  }

  #holds(cell: number, high: number, low: number): boolean {
    return Atomics.load(this.#memory, cell) === high &&
      Atomics.load(this.#memory, cell + 1) === low;
  }
}

/** A network's first 64 bits; a single IPv4 address takes those of ::/32, where no client is. */
type Words = readonly [high: number, low: number];

const NETWORK = /\/64$/;

function wordsOf(address: string): Words | undefined {
  const group = addressGroup(address);
  const octets = parseAddress(group.replace(NETWORK, ""));
  if (octets === undefined) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset);
  // What is no network is an IPv4 address, or ends in one (64:ff9b::/96).
  return NETWORK.test(group)
    ? [view.getInt32(0), view.getInt32(4)]
    : [0, view.getInt32(octets.length - 4)];
}

/**
 * Makes the tables of so many threads. Memory that no thread has used is not taken from the system.
 *
 * @param threads those beyond count nothing
 */
export function addressMemory(threads: number = MOST_THREADS): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (HEAD + threads * TABLE));
  new Int32Array(memory).set(crypto.getRandomValues(new Int32Array(1)), SEED);
  return memory;
}
