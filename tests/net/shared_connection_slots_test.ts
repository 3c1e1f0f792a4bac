// Places that threads share: never more than there are, and none forgotten.
import { assertEquals } from "@std/assert";
import { SharedConnectionSlots, sharedSlotMemory } from "../../lib/net/shared_connection_slots.ts";
import { within } from "../support/waiting.ts";

Deno.test("places are taken up to the limit, whoever takes them", async () => {
  const memory = sharedSlotMemory(2, 4);
  const [one, other] = [new SharedConnectionSlots(memory, 0), new SharedConnectionSlots(memory, 1)];
  await one.take();
  await other.take();
  let third = false;
  const waiting = one.take().then(() => third = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([third, one.taken], [false, 2]);
  other.free();
  await within(waiting, "the third being admitted");
  assertEquals(one.taken, 2);
});

Deno.test("a limit that grows lets in those who wait, and one that shrinks lets nobody in until there is room", async () => {
  const slots = new SharedConnectionSlots(sharedSlotMemory(1, 1), 0);
  let admitted = 0;
  const all = Array.from({ length: 5 }, () => slots.take().then(() => admitted++));
  await within(all[0]!, "the first being admitted");
  slots.setLimit(3);
  await within(Promise.all(all.slice(0, 3)), "three being admitted");
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([admitted, slots.taken], [3, 3]);
  slots.setLimit(1);
  slots.free();
  slots.free();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([admitted, slots.taken], [3, 1]);
  slots.free();
  await within(all[3]!, "the fourth being admitted");
  slots.free();
  await within(all[4]!, "the fifth being admitted");
});

Deno.test("a thread that is gone gives back its own places and nobody else's", async () => {
  const memory = sharedSlotMemory(10, 2);
  const [one, other] = [new SharedConnectionSlots(memory, 0), new SharedConnectionSlots(memory, 1)];
  for (const slots of [one, one, one, other]) await slots.take();
  one.freeThread();
  assertEquals(other.taken, 1);
  one.freeThread();
  assertEquals(other.taken, 1);
});
