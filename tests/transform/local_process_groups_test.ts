// Ends groups that are only imagined, and looks at the signals.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LocalProcessGroups } from "../../lib/transform/local_process_groups.ts";
import { HandClock } from "./hand_clock.ts";

interface Imagined {
  readonly clock: HandClock;
  /** The signals that were sent, but for questions. */
  readonly sent: string[];
  readonly groups: LocalProcessGroups;
}

/** A system in which each group dies of a signal, `looks` looks after it. */
function imagined(dies: "SIGTERM" | "SIGKILL" | "before", looks = 0): Imagined {
  const clock = new HandClock();
  const sent: string[] = [];
  const left = new Map<number, number>();
  const kill = (pid: number, signal: Deno.Signal | 0): void => {
    const looksLeft = left.get(pid) ?? (dies === "before" ? 0 : Infinity);
    if (looksLeft === 0) throw new Deno.errors.NotFound("ESRCH: No such process");
    if (signal !== 0) sent.push(`${signal} ${pid}`);
    left.set(pid, signal === dies ? looks : looksLeft - 1);
  };
  return { clock, sent, groups: new LocalProcessGroups({ grace: 500, clock, kill }) };
}

/** Lets time pass until `promise` has settled; returns the milliseconds. */
async function timeUntil(clock: HandClock, promise: Promise<void>): Promise<number> {
  let settled = false;
  const done = promise.finally(() => settled = true);
  while (!settled) {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    if (!settled) clock.pass(1);
  }
  await done;
  return clock.now();
}

Deno.test("LocalProcessGroups ends a willing group with SIGTERM alone", async () => {
  const { clock, sent, groups } = imagined("SIGTERM", 2);
  groups.started(77);
  assertEquals(await timeUntil(clock, groups.end(77)) < 10, true);
  assertEquals([sent, groups.running.size, clock.pending], [["SIGTERM -77"], 0, 0]);
});

Deno.test("LocalProcessGroups ends an unwilling group with SIGKILL after the grace", async () => {
  const { clock, sent, groups } = imagined("SIGKILL");
  groups.started(77);
  const time = await timeUntil(clock, groups.end(77));
  assertEquals(time >= 500 && time <= 550, true, `after ${time} ms`);
  assertEquals(sent, ["SIGTERM -77", "SIGKILL -77"]);
});

Deno.test("LocalProcessGroups signals no group twice, nor one that it was not told of", async () => {
  const { clock, sent, groups } = imagined("SIGTERM");
  await groups.end(78);
  groups.started(77);
  await timeUntil(clock, Promise.all([groups.end(77), groups.end(77)]).then(() => {}));
  await groups.end(77);
  assertEquals(sent, ["SIGTERM -77"]);
});

Deno.test("LocalProcessGroups takes a group that is gone as ended", async () => {
  const { sent, groups } = imagined("before");
  groups.started(77);
  await groups.end(77);
  assertEquals([sent, groups.running.size], [[], 0]);
});

Deno.test("LocalProcessGroups ends all groups of a thread that died", async () => {
  const { clock, sent, groups } = imagined("SIGKILL");
  groups.started(77);
  groups.started(78);
  await timeUntil(clock, groups.endAll());
  assertEquals(sent.toSorted(), ["SIGKILL -77", "SIGKILL -78", "SIGTERM -77", "SIGTERM -78"]);
});

Deno.test("LocalProcessGroups refuses process ids that mean everybody", () => {
  const { groups } = imagined("before");
  for (const pid of [0, 1, -1, 2.5, NaN]) assertThrows(() => groups.started(pid), RangeError);
});

Deno.test("LocalProcessGroups passes on what it does not know", async () => {
  const kill = (): void => {
    throw new Deno.errors.NotCapable("no permission to run");
  };
  const groups = new LocalProcessGroups({ kill });
  groups.started(77);
  await assertRejects(() => groups.end(77), Deno.errors.NotCapable);
  assertEquals(groups.running.size, 0);
});
