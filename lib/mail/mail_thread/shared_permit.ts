/** Tells another thread, before each message that it removes, whether the user's lock is held still. */

import type { MayRemove } from "../../contracts/mail_store.ts";

/** Milliseconds between two looks at the lock: far less than it is held beyond what it says. */
const LOOK_MS = 20;
/**
 * Milliseconds for which a look is believed. When the process stood still, this thread may go on before the one that looks; a claim is
 * good for two seconds beyond what the fence says.
 */
const BELIEVED_MS = 1500;

/** A permit that is lent to another thread. Disposing takes it back. */
export class LentPermit implements Disposable {
  /** For {@linkcode borrowedPermit}: when the lock was last seen held, in milliseconds since 1970; 0 for not at all. */
  readonly memory: SharedArrayBuffer = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  readonly #seen = new BigInt64Array(this.memory);
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param mayRemove asked again and again */
  constructor(mayRemove: MayRemove) {
    const look = (): void =>
      void Atomics.store(this.#seen, 0, mayRemove() ? BigInt(Math.round(Date.now())) : 0n);
    look();
    this.#timer = setInterval(look, LOOK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    Atomics.store(this.#seen, 0, 0n);
  }
}

/** The permit as the other thread has it. */
export function borrowedPermit(memory: SharedArrayBuffer): MayRemove {
  const seen = new BigInt64Array(memory);
  // By the wall clock, which all threads have in common, and which goes on while the process stands still.
  return () => Math.abs(Date.now() - Number(Atomics.load(seen, 0))) < BELIEVED_MS;
}
