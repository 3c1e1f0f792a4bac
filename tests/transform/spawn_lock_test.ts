// One thread at a time starts a program, and one that dies while it does stops nobody.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SpawnLock, spawnLockMemory } from "../../lib/transform/spawn_lock.ts";

/** A thread that has the lock. Disposing ends it where it stands. */
async function holder(memory: SharedArrayBuffer, milliseconds: number): Promise<Disposable> {
  const worker = new Worker(new URL("./lock_holder.ts", import.meta.url), { type: "module" });
  await new Promise((resolve) => {
    worker.onmessage = resolve;
    worker.postMessage({ memory, milliseconds });
  });
  return { [Symbol.dispose]: () => worker.terminate() };
}

Deno.test("SpawnLock keeps a thread waiting while another has it", async () => {
  const memory = spawnLockMemory();
  const lock = new SpawnLock(memory, 0);
  using _other = await holder(memory, 300);
  const begun = performance.now();
  assertEquals(lock.during(() => "done"), "done");
  assert(performance.now() - begun >= 200, "it did not wait");
  assertEquals(lock.during(() => "once more"), "once more");
});

Deno.test("SpawnLock is free again when what was done under it threw", () => {
  const memory = spawnLockMemory();
  const lock = new SpawnLock(memory, 0);
  assertThrows(() =>
    lock.during(() => {
      throw new RangeError("no");
    }), RangeError);
  assertEquals(new SpawnLock(memory, 1).during(() => "done"), "done");
});

Deno.test("SpawnLock of a thread that died is freed in its name, and in nobody else's", async () => {
  const memory = spawnLockMemory();
  const holds = (): number => new Int32Array(memory)[0]!;
  {
    using _dying = await holder(memory, 60_000);
  }
  const taken = holds();
  new SpawnLock(memory, 0).freeThread();
  assertEquals(holds(), taken);
  new SpawnLock(memory, 1).freeThread();
  assertEquals(new SpawnLock(memory, 0).during(() => "done"), "done");
});
