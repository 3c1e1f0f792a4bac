/** Tells another thread, before each message that it removes, whether the user's lock is held still. */

import type { MayRemove } from "../../contracts/mail_store.ts";

/** Milliseconds between two looks at the lock: far less than it is held beyond what it says. */
const LOOK_MS = 20;

/** A permit that is lent to another thread. Disposing takes it back. */
export class LentPermit implements Disposable {
  /** For {@linkcode borrowedPermit}. */
  readonly memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #flag = new Int32Array(this.memory);
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param mayRemove asked again and again */
  constructor(mayRemove: MayRemove) {
    const look = (): void => void Atomics.store(this.#flag, 0, mayRemove() ? 1 : 0);
    look();
    this.#timer = setInterval(look, LOOK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    Atomics.store(this.#flag, 0, 0);
  }
}

/** The permit as the other thread has it. */
export function borrowedPermit(memory: SharedArrayBuffer): MayRemove {
  const flag = new Int32Array(memory);
  return () => Atomics.load(flag, 0) === 1;
}
