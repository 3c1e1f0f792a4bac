/** The checked-in kernel is what its source says, and its memory is laid out without overlaps. */

import { assert, assertEquals } from "@std/assert";
import { memory } from "../../../lib/bytes/kernel/kernel.wasm";
import {
  INPUT,
  INPUT_SIZE,
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
