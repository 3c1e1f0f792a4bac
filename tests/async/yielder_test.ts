// Long work shares its thread: sockets are looked at between two slices, and several pieces of work take turns.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "../../lib/async/delay.ts";
import { Yielder, type YieldingTask } from "../../lib/async/yielder.ts";

/** Keeps the thread busy until the task is due, so many times. */
async function work(task: YieldingTask, slices: number, note: () => void): Promise<void> {
  for (let slice = 0; slice < slices; slice++) {
    while (!task.due()) { /* busy */ }
    note();
    await task.pause();
  }
}

/** Answers each octet over loopback, and counts the round trips of a client that always waits for the answer. */
async function countTrips(during: Promise<unknown>): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using server = await accepting;
  let isOver = false;
  let trips = 0;
  void during.then(() => isOver = true);
  const octet = new Uint8Array(1);
  while (!isOver) {
    await client.write(octet);
    await server.read(octet);
    await server.write(octet);
    await client.read(octet);
    trips++;
  }
  return trips;
}

Deno.test("a socket's round trip takes few slices of others' work", async () => {
  const yielder = new Yielder(3);
  let slices = 0;
  const pieces = Array.from({ length: 3 }, () => work(yielder.task(), 40, () => slices++));
  const trips = await countTrips(Promise.all(pieces));
  assertEquals(slices, 120);
  // A trip is four waits of one event loop. Where the runtime polls its sockets every 61st turn only, there are two trips.
  assert(trips >= 12, `${trips} round trips while 120 slices were worked`);
});

Deno.test("several pieces of work take turns, one slice each", async () => {
  const yielder = new Yielder(1);
  const order: string[] = [];
  const piece = (name: string): Promise<void> => work(yielder.task(), 4, () => order.push(name));
  await Promise.all([piece("a"), piece("b"), piece("c")]);
  assertEquals(order.slice(3, 12).join(""), "abcabcabc");
});

Deno.test("short pieces of work that wait for the next slice go on in it together", async () => {
  const yielder = new Yielder(20);
  let timers = 0;
  const resumed: number[] = [];
  const step = async (): Promise<void> => {
    while (!yielder.due()) { /* busy */ }
    await yielder.pause();
    resumed.push(timers);
  };
  const count = setInterval(() => timers++, 0);
  await Promise.all(Array.from({ length: 50 }, step));
  clearInterval(count);
  // A turn of its own for each would take fifty timers.
  assert(resumed.at(-1)! - resumed[0]! < 10, resumed.join(" "));
});

Deno.test("a thread that was idle begins a new slice, and short work never pauses", async () => {
  const yielder = new Yielder(50);
  for (let round = 0; round < 3; round++) {
    assertEquals(yielder.due(), false);
    // Longer than a slice; a busy machine makes it longer still.
    await delay(60);
  }
});

Deno.test("work that is no longer wanted ends at its next pause with the signal's reason", async () => {
  const ended = new AbortController();
  const task = new Yielder().task(ended.signal);
  const paused = task.pause();
  ended.abort(new Error("the client went away"));
  await assertRejects(() => paused, Error, "the client went away");
  await assertRejects(() => task.pause(), Error, "the client went away");
});

Deno.test("work that ends without a pause keeps nobody waiting", async () => {
  const yielder = new Yielder(5);
  const order: number[] = [];
  await Promise.all([0, 1, 2].map(async (number) => {
    await yielder.pause();
    order.push(number);
  }));
  assertEquals(order, [0, 1, 2]);
});
