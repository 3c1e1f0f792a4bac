/** The checked-in kernel is what its source says, and its memory is laid out without overlaps. */

import { assert, assertEquals, equal } from "@std/assert";
import * as fc from "fast-check";
import { DotStuffer } from "../../../lib/bytes/dot_stuffing.ts";
import { memory, stuff, stuffedDots } from "../../../lib/bytes/kernel/kernel.wasm";
import {
  INPUT,
  INPUT_OCTETS,
  INPUT_SIZE,
  kernelView,
  OUTPUT_SIZE,
  SCRATCH,
  slotAddress,
  SLOTS,
} from "../../../lib/bytes/kernel_memory.ts";

import { octetsOf, textOf } from "../../support/awkward_messages.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("kernel.wasm is what `deno task kernel` makes of its source", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const rebuilt = `${folder}/kernel.wasm`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "kernel", "-o", rebuilt],
      cwd: ROOT,
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const checkedIn = await Deno.readFile(new URL("lib/bytes/kernel/kernel.wasm", ROOT));
    assertEquals(await Deno.readFile(rebuilt), checkedIn, "run `deno task kernel` and commit");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const GUARD = 0x5a;

/** What `stuff` makes of octets, as if a line began with them; fails when it writes further than it may. */
function stuffed(stored: Uint8Array, where: string): { octets: Uint8Array; dots: number } {
  INPUT_OCTETS.set(stored);
  const most = 2 * stored.length + 8;
  const output = kernelView(SCRATCH, most + 200).fill(GUARD);
  const written = stuff(INPUT, stored.length, 0x0a, SCRATCH);
  assert(output.subarray(most).every((octet) => octet === GUARD), where);
  return { octets: output.slice(0, written), dots: stuffedDots() };
}

Deno.test("stuff puts in what belongs at any one or two places of a vector, and writes no further than it may", () => {
  const inputs = [["x\n", "x\r\n", 0], ["\r\n.", "\r\n..", 1], ["\n.", "\r\n..", 1]] as const;
  for (const [one, oneStuffed, dots] of inputs) {
    for (const [two, twoStuffed, moreDots] of inputs) {
      for (let first = 0; first < 66; first++) {
        for (let second = 0; second < 66 - first; second++) {
          const text = (a: string, b: string): Uint8Array =>
            octetsOf(
              "-".repeat(first) + a + "-".repeat(second) + b + "-".repeat(130 - first - second),
            );
          const where = `${JSON.stringify([one, two])} at ${first} and ${second} behind it`;
          const made = stuffed(text(one, two), where);
          assert(equal(made.octets, text(oneStuffed, twoStuffed)), where);
          assertEquals(made.dots, dots + moreDots, where);
        }
      }
    }
  }
});

Deno.test("stuff does what its twin does, however dense the lines, and writes no further than it may", () => {
  const letter = fc.constantFrom("x", "\r", "\n", ".", "\r\n", "\n.", "-".repeat(15));
  const letters = fc.array(letter, { minLength: 1, maxLength: 200 });
  // Few line ends in front of many at a vector's end are what reaches furthest.
  const text = fc.tuple(fc.nat(63), letters, fc.nat(63)).map(([before, middle, behind]) =>
    "-".repeat(before) + middle.join("") + "-".repeat(behind)
  );
  fc.assert(
    fc.property(text, (stored) => {
      const made = stuffed(octetsOf(stored), stored);
      assertEquals(textOf(made.octets), textOf(new DotStuffer().stuff(octetsOf(stored))));
      assertEquals(made.dots, [...stored.matchAll(/(?<=^|\n)\./g)].length);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("kernel memory holds input, scratch and all slots, and cannot grow", () => {
  assert(SCRATCH >= INPUT + INPUT_SIZE);
  const areas = [SCRATCH, ...Array.from({ length: SLOTS }, (_, slot) => slotAddress(slot))];
  areas.push(memory.buffer.byteLength);
  for (const [index, start] of areas.slice(0, -1).entries()) {
    assert(start + OUTPUT_SIZE + 16 <= (areas[index + 1] as number), `area ${index}`);
  }
  let grown = true;
  try {
    memory.grow(1);
  } catch (error) {
    assert(error instanceof RangeError);
    grown = false;
  }
  assertEquals(grown, false);
});
