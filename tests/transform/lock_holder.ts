/** A thread that takes the lock whose memory it is given, says so, and keeps it for as many milliseconds as it is told. */

import { SpawnLock } from "../../lib/transform/spawn_lock.ts";

/** What a dedicated worker has, and the checker's window library does not know. */
interface Thread {
  postMessage(message: "held"): void;
  onmessage: ((event: MessageEvent<Order>) => void) | null;
}

interface Order {
  readonly memory: SharedArrayBuffer;
  readonly milliseconds: number;
}

const thread = globalThis as unknown as Thread;
thread.onmessage = ({ data: { memory, milliseconds } }): void => {
  new SpawnLock(memory, 1).during(() => {
    thread.postMessage("held");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  });
};
