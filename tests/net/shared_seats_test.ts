// Places that threads share: never more than there are, and none forgotten.
import { assertEquals } from "@std/assert";
import { sharedSeatMemory, SharedSeats } from "../../lib/net/shared_seats.ts";
import { within } from "../support/waiting.ts";

Deno.test("places are taken up to the limit, whoever takes them", async () => {
  const memory = sharedSeatMemory(2, 4);
  const [one, other] = [new SharedSeats(memory, 0), new SharedSeats(memory, 1)];
  await one.take();
  await other.take();
  let third = false;
  const waiting = one.take().then(() => third = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([third, one.taken], [false, 2]);
  other.free();
  await within(waiting, "the third being seated");
  assertEquals(one.taken, 2);
});

Deno.test("a limit that grows lets in those who wait, and one that shrinks lets nobody in until there is room", async () => {
  const seats = new SharedSeats(sharedSeatMemory(1, 1), 0);
  let seated = 0;
  const all = Array.from({ length: 5 }, () => seats.take().then(() => seated++));
  await within(all[0]!, "the first being seated");
  seats.setLimit(3);
  await within(Promise.all(all.slice(0, 3)), "three being seated");
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([seated, seats.taken], [3, 3]);
  seats.setLimit(1);
  seats.free();
  seats.free();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([seated, seats.taken], [3, 1]);
  seats.free();
  await within(all[3]!, "the fourth being seated");
  seats.free();
  await within(all[4]!, "the fifth being seated");
});

Deno.test("a thread that is gone gives back its own places and nobody else's", async () => {
  const memory = sharedSeatMemory(10, 2);
  const [one, other] = [new SharedSeats(memory, 0), new SharedSeats(memory, 1)];
  for (const seats of [one, one, one, other]) await seats.take();
  one.freeThread();
  assertEquals(other.taken, 1);
  one.freeThread();
  assertEquals(other.taken, 1);
});
