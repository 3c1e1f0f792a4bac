// Turns a clock's hands and sees which silences are told.

import { assertEquals } from "@std/assert";
import { OutputWatch } from "../../lib/transform/output_watch.ts";
import { HandClock } from "./hand_clock.ts";

function watched(timeout = 1000): { clock: HandClock; watch: OutputWatch; told: string[] } {
  const clock = new HandClock();
  const told: string[] = [];
  const watch = new OutputWatch({ timeout, grace: 100, clock, silent: (kind) => told.push(kind) });
  return { clock, watch, told };
}

Deno.test("OutputWatch tells a silence only while output is asked for", () => {
  const { clock, watch, told } = watched();
  watch.begin();
  clock.pass(900);
  watch.finish();
  clock.pass(5000);
  watch.begin();
  clock.pass(999);
  assertEquals(told, []);
  clock.pass(1);
  assertEquals(told, ["timeout"]);
  clock.pass(5000);
  assertEquals([told, clock.pending], [["timeout"], 0]);
});

Deno.test("OutputWatch counts from the latest read, with one timer for all of them", () => {
  const { clock, watch, told } = watched();
  for (let read = 0; read < 100; read++) {
    watch.begin();
    clock.pass(90);
    watch.finish();
    assertEquals(clock.pending <= 1, true);
  }
  watch.begin();
  clock.pass(999);
  assertEquals(told, []);
  clock.pass(1);
  assertEquals(told, ["timeout"]);
});

Deno.test("OutputWatch never tells a time-out where there is none", () => {
  const { clock, watch, told } = watched(0);
  watch.begin();
  clock.pass(1e9);
  assertEquals([told, clock.pending], [[], 0]);
});

Deno.test("OutputWatch grants what was left behind a grace after its last output and the program's end, and one more", () => {
  const { clock, watch, told } = watched();
  watch.begin();
  clock.pass(950);
  watch.exited();
  clock.pass(99);
  watch.finish();
  watch.begin();
  clock.pass(99);
  assertEquals(told, []);
  clock.pass(1);
  assertEquals(told, ["left-behind"]);
  clock.pass(99);
  assertEquals(told, ["left-behind"]);
  clock.pass(1);
  assertEquals([told, clock.pending], [["left-behind", "held-open"], 0]);
});

Deno.test("OutputWatch leaves no timer behind when it is stopped", () => {
  const { clock, watch } = watched();
  watch.begin();
  watch.stop();
  watch.begin();
  watch.exited();
  assertEquals(clock.pending, 0);
});
