// Connection slots: who is served, who waits and who gives way, over several threads' views of the same counters.
import { assert, assertEquals } from "@std/assert";
import type { ConnectionSlot } from "../../lib/contracts/connection_slots.ts";
import { SharedConnectionSlots } from "../../lib/net/shared_connection_slots.ts";
import { slotMemory } from "../../lib/net/slot_counters.ts";
import { LOOK_MS } from "../../lib/net/slot_limits.ts";
import { eventually, within } from "../support/waiting.ts";

/** Never, as far as these tests go. */
const LATE = 1_000_000;
const NEVER = new AbortController().signal;

interface Thread {
  readonly slots: SharedConnectionSlots;
  /** Names of those that gave way, in order. */
  readonly gone: string[];
  enter(name?: string): ConnectionSlot;
}

/** Views of several threads on one set of slots. Disposing frees all that were taken. */
class Threads implements Disposable {
  readonly memory: SharedArrayBuffer;
  readonly gone: string[] = [];
  readonly #taken: ConnectionSlot[] = [];

  constructor(limit: number, threads = 4) {
    this.memory = slotMemory(limit, threads);
  }

  thread(thread: number, giveWayAfter = LATE, reserve?: number): Thread {
    const slots = new SharedConnectionSlots({
      memory: this.memory,
      thread,
      giveWayAfter,
      ...(reserve !== undefined && { reserve }),
    });
    return {
      slots,
      gone: this.gone,
      enter: (name = "") => {
        const slot = slots.enter(() => this.gone.push(name));
        this.#taken.push(slot);
        return slot;
      },
    };
  }

  [Symbol.dispose](): void {
    for (const slot of this.#taken) slot.free();
  }
}

/** Whole milliseconds, as the slots count them. */
const now = (): number => Math.floor(performance.timeOrigin + performance.now());
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("slots are taken up to the limit, whichever thread takes them, and those that wait follow", async () => {
  using threads = new Threads(2);
  const [one, other] = [threads.thread(0), threads.thread(1)];
  const first = one.enter();
  assertEquals([first.admitted, other.enter().admitted], [undefined, undefined]);
  const third = one.enter();
  const fourth = other.enter();
  let admitted = 0;
  for (const slot of [third, fourth]) void slot.admitted!.then((yes) => yes && admitted++);
  await turn();
  assertEquals([admitted, one.slots.served], [0, 2]);
  first.free();
  await eventually("one following", () => admitted === 1);
  first.free();
  await turn();
  assertEquals([admitted, one.slots.served], [1, 2]);
});

Deno.test("a limit that grows lets in those who wait, and one that shrinks ends nobody", async () => {
  using threads = new Threads(1);
  const { slots, enter, gone } = threads.thread(0, 0);
  let served = 0;
  for (let count = 0; count < 5; count++) {
    const slot = enter();
    const serve = (): void => {
      slot.keep(NEVER);
      served++;
    };
    if (slot.admitted === undefined) serve();
    else void slot.admitted.then((admitted) => admitted && serve());
  }
  await eventually("the first being served", () => served === 1);
  slots.setLimit(3);
  await eventually("three being served", () => served === 3);
  slots.setLimit(1);
  await turn();
  assertEquals([served, slots.served, gone], [3, 3, []]);
});

Deno.test("the oldest that has not logged in gives way to each newcomer, in whichever thread it is", async () => {
  using threads = new Threads(3);
  const [one, other] = [threads.thread(0, 30), threads.thread(1, 30)];
  for (const [name, thread] of [["a", one], ["b", other], ["c", one]] as const) {
    thread.enter(name);
    // Another millisecond: the threads compare by these.
    const came = now();
    await eventually("the next millisecond", () => now() > came);
  }
  for (const [count, thread] of [one, one, other].entries()) {
    const slot = thread.enter(`new ${count}`);
    assert(await (slot.admitted ?? true));
    slot.keep(NEVER);
    await eventually("one giving way", () => threads.gone.length === count + 1);
    assertEquals(one.slots.served, 3);
  }
  assertEquals(threads.gone, ["a", "b", "c"]);
});

Deno.test("nobody gives way who is younger than that, or has logged in", async () => {
  using threads = new Threads(2);
  const one = threads.thread(0);
  one.enter("young");
  assertEquals(threads.thread(1, 0).enter("in").keep(NEVER), true);
  const slot = one.enter();
  await turn();
  let admitted = false;
  void slot.admitted!.then((yes) => admitted = yes);
  // Timers of one length are due in the order in which they were set: with this one, the slots have had their looks.
  let looks = 0;
  const looking = setInterval(() => looks++, LOOK_MS);
  await eventually("two looks", () => looks === 2);
  clearInterval(looking);
  assertEquals([admitted, threads.gone], [false, []]);
});

Deno.test("when very many wait, newcomers are served beyond the limit, up to the reserve", () => {
  using threads = new Threads(2);
  const { slots, enter, gone } = threads.thread(0, LATE, 200);
  const all = Array.from({ length: 202 }, (_, index) => enter(`${index}`));
  assertEquals(all.filter(({ admitted }) => admitted === undefined).length, 2 + 202 - 130);
  assertEquals(slots.served, 202);
  assertEquals(gone, []);
  // Beyond the reserve the oldest give way at any age.
  enter();
  enter();
  assertEquals(gone, ["0", "1"]);
});

Deno.test("where all have logged in, nothing is accepted and a further login waits for one to end", async () => {
  using threads = new Threads(1);
  const [one, other] = [threads.thread(0, 0), threads.thread(1, 0)];
  const first = one.enter();
  assertEquals(first.keep(NEVER), true);
  let isOpen = false;
  void other.slots.available().then(() => isOpen = true);
  await turn();
  assertEquals(isOpen, false);
  const waiting = other.enter();
  await turn();
  assertEquals(one.slots.served, 1);
  first.free();
  assertEquals(await within(waiting.admitted!, "the next being admitted"), true);
  await eventually("connections being accepted", () => isOpen);
  assertEquals(threads.gone, []);
});

Deno.test("a login beyond the limit waits until one ends, or its client leaves", async () => {
  using threads = new Threads(1);
  const { enter, slots } = threads.thread(0, LATE, 1000);
  const all = Array.from({ length: 130 }, () => enter());
  assertEquals(all[0]!.keep(NEVER), true);
  const leaving = new AbortController();
  const [left, waiting] = [all[1]!.keep(leaving.signal), all[2]!.keep(NEVER)];
  leaving.abort();
  assertEquals(await within(Promise.resolve(left), "the end of waiting"), false);
  all[0]!.free();
  assertEquals(await within(Promise.resolve(waiting), "the login"), true);
  assertEquals(slots.served, 129);
});

Deno.test("an answer that waits takes no slot from others", () => {
  using threads = new Threads(1);
  const { enter, slots } = threads.thread(0);
  const guesser = enter();
  guesser.park();
  assertEquals([slots.served, enter().admitted], [0, undefined]);
  guesser.resume();
  assertEquals(slots.served, 2);
});

Deno.test("a system without descriptors is answered by letting some give way, and going less far", async () => {
  using threads = new Threads(10);
  const { enter, gone, slots } = threads.thread(0, 0, 1000);
  for (let count = 0; count < 300; count++) enter(`${count}`).park();
  for (let count = 0; count < 9; count++) enter(`late ${count}`);
  await turn();
  assert(slots.outOfDescriptors());
  assertEquals(gone, Array.from({ length: 9 }, (_, count) => `late ${count}`));
  assert(!slots.outOfDescriptors());
  // There is nothing more that may give way, and those that are open are too many.
  let isOpen = false;
  void slots.available().then(() => isOpen = true);
  await turn();
  assertEquals(isOpen, false);
});

Deno.test("a thread that is gone gives back its own slots and nobody else's", () => {
  using threads = new Threads(10);
  const [one, other] = [threads.thread(0), threads.thread(1)];
  for (const thread of [one, one, one, other]) thread.enter().keep(NEVER);
  new SharedConnectionSlots({ memory: threads.memory, thread: 0 }).forgetThread();
  assertEquals(other.slots.served, 1);
  new SharedConnectionSlots({ memory: threads.memory, thread: 0 }).forgetThread();
  assertEquals(other.slots.served, 1);
  // What the thread still does about its slots would count twice: none of this test's may be freed.
  new SharedConnectionSlots({ memory: threads.memory, thread: 1 }).forgetThread();
});
