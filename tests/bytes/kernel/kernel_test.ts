/** The checked-in kernel is what its source says, and its memory is laid out without overlaps. */

import { assert, assertEquals, equal } from "@std/assert";
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

Deno.test("stuff puts in what belongs at any one or two places of a vector, and writes no further than it may", () => {
  const GUARD = 0x5a;
  const inputs = [["x\n", "x\r\n", 0], ["\r\n.", "\r\n..", 1]] as const;
  const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const [one, oneStuffed, dots] of inputs) {
    for (const [two, twoStuffed, moreDots] of inputs) {
      for (let first = 0; first < 66; first++) {
        for (let second = 0; second < 66 - first; second++) {
          const text = (a: string, b: string): Uint8Array =>
            octets(
              "-".repeat(first) + a + "-".repeat(second) + b + "-".repeat(130 - first - second),
            );
          const stored = text(one, two);
          INPUT_OCTETS.set(stored);
          const most = 2 * stored.length + 8;
          const output = kernelView(SCRATCH, most + 64).fill(GUARD);
          const written = stuff(INPUT, stored.length, 0x0a, SCRATCH);
          const where = `${JSON.stringify([one, two])} at ${first} and ${second} behind it`;
          const expected = text(oneStuffed, twoStuffed);
          assert(equal(output.subarray(0, written), expected), where);
          assertEquals(stuffedDots(), dots + moreDots, where);
          assert(output.subarray(most).every((octet) => octet === GUARD), where);
        }
      }
    }
  }
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
