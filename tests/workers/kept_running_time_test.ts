// The running time: over restarts, jumps of the wall clock, and states that cannot be written.

import { assert, assertEquals } from "@std/assert";
import { KeptRunningTime } from "../../lib/app/kept_running_time.ts";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { TestClock } from "../support/test_clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

Deno.test("the running time goes on after a restart, with the pause if that was a day at most", async () => {
  const { installation } = new MemoryState();
  const clock = new TestClock();
  let id: string;
  {
    await using first = await KeptRunningTime.open({ installation, clock });
    id = first.id;
    assertEquals(first.now(), 1);
    clock.advance(5 * HOUR);
    assertEquals(first.now(), 1 + 5 * HOUR);
  }
  clock.advance(DAY);
  {
    await using second = await KeptRunningTime.open({ installation, clock });
    assertEquals([second.id, second.now()], [id, 1 + 5 * HOUR + DAY]);
    assertEquals(second.moment(), { id, at: second.now() });
  }
});

Deno.test("a wall clock that is wrong at the start, either way, moves no running time", async () => {
  const right = Date.parse("2026-01-31T12:00:00Z");
  const starts = [right, right + 365 * DAY, right, 0, right, right + 2 * DAY, right - 3 * HOUR];
  const { installation } = new MemoryState();
  let before = 1;
  for (const wall of starts) {
    const clock = new TestClock(wall);
    await using time = await KeptRunningTime.open({ installation, clock });
    assertEquals(time.now(), before);
    clock.advance(HOUR);
    // NTP comes.
    clock.set(right);
    assertEquals(time.now(), before + HOUR);
    before = time.now();
  }
});

Deno.test("a kill takes back a minute of running time at most, which the next start counts", async () => {
  const { installation } = new MemoryState();
  const clock = new TestClock();
  const killed = await KeptRunningTime.open({ installation, clock });
  clock.advance(HOUR);
  await killed.tick();
  clock.advance(59_000);
  await using next = await KeptRunningTime.open({ installation, clock });
  assertEquals(next.now(), killed.now());
  await killed[Symbol.asyncDispose]();
});

Deno.test("each state has a running time of its own", async () => {
  const [first, second] = [new MemoryState(), new MemoryState()].map(({ installation }) =>
    KeptRunningTime.open({ installation })
  );
  await using one = await first!;
  await using other = await second!;
  assert(/^[0-9a-f]{16}$/.test(one.id) && one.id !== other.id);
});

Deno.test("a state that cannot be written costs no running time", async () => {
  const { installation } = new MemoryState();
  const clock = new TestClock();
  let failing = false;
  await using time = await KeptRunningTime.open({
    installation: {
      runningTime: () => installation.runningTime(),
      keepRunningTime: (kept) =>
        failing ? Promise.reject(new Error("disk")) : installation.keepRunningTime(kept),
    },
    clock,
  });
  failing = true;
  clock.advance(HOUR);
  await time.tick();
  assertEquals(time.now(), 1 + HOUR);
  failing = false;
  await time.tick();
  assertEquals((await installation.runningTime())?.running, 1 + HOUR);
});
