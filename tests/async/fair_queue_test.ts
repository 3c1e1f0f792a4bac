import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FairQueue } from "../../lib/async/fair_queue.ts";

Deno.test("fair queue gives each owner a turn, and keeps each owner's order", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "a3", "b1", "c1", "b2"]) queue.push(item[0]!, item);
  assertEquals([queue.size, queue.sizeOf("a"), queue.sizeOf("d")], [6, 3, 0]);
  const taken = Array.from({ length: 7 }, () => queue.shift());
  assertEquals(taken, ["a1", "b1", "c1", "a2", "b2", "a3", undefined]);
  assertEquals(queue.size, 0);
});

Deno.test("fair queue lets nobody's first item wait for anyone's second", () => {
  const owner = fc.integer({ min: 0, max: 5 }).map(String);
  fc.assert(fc.property(fc.array(owner, { maxLength: 60 }), (owners) => {
    const queue = new FairQueue<string>();
    for (const each of owners) queue.push(each, each);
    const taken = owners.map(() => queue.shift()!);
    assertEquals(taken.toSorted(), owners.toSorted());
    const several = new Set(owners).size;
    assertEquals(new Set(taken.slice(0, several)).size, several);
  }));
});
