// Events packed for the way between threads come out as they went in.
import { assertEquals } from "@std/assert";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import { EventPacker } from "../../lib/workers/packed_events.ts";
import { unpackEvents } from "../../lib/workers/unpack_events.ts";

function throughTheWire(events: readonly ServerEvent[]): ServerEvent[] {
  const packer = new EventPacker();
  for (const event of events) packer.add(event);
  const told: ServerEvent[] = [];
  unpackEvents(structuredClone(packer.take()), (event) => told.push(event));
  assertEquals(packer.empty, true);
  return told;
}

/** One of each kind. */
function eventsOf(session: string): ServerEvent[] {
  const at = 1_700_000_000_000;
  return [
    { type: "connected", session, at, address: "192.0.2.7", port: 110, tls: undefined },
    { type: "tls", session, version: "TLSv1.3", ok: true },
    { type: "command", session, name: "USER", outcome: "ok", milliseconds: 0.25 },
    { type: "command", session, name: "?", outcome: "error", milliseconds: 1 },
    {
      type: "login",
      session,
      at,
      user: "ann",
      mechanism: "USER",
      messages: 3,
      octets: 4_500_000_000,
      milliseconds: 2.5,
    },
    { type: "retrieved", session, octets: 120 },
    { type: "sent", session, octets: 512 },
    { type: "deleted", session, messages: 2 },
    { type: "disconnected", session, at: at + 1, reason: "quit" },
  ];
}

Deno.test("every kind of event survives being packed", () => {
  assertEquals(throughTheWire(eventsOf("w1-1")), eventsOf("w1-1"));
});

Deno.test("each session's events keep their order, and octets sent are told once", () => {
  const [one, other] = [eventsOf("w1-1"), eventsOf("w1-2")];
  const mixed: ServerEvent[] = one.flatMap((event, index) => [
    event,
    { type: "sent", session: "w1-1", octets: 10 },
    other[index]!,
  ]);
  const told = throughTheWire(mixed);
  const without = (session: string): ServerEvent[] =>
    told.filter((event) => event.session === session && event.type !== "sent");
  assertEquals(without("w1-1"), one.filter(({ type }) => type !== "sent"));
  assertEquals(without("w1-2"), other.filter(({ type }) => type !== "sent"));
  const sent = told.filter((event) => event.type === "sent");
  assertEquals(sent.map(({ session, octets }) => [session, octets]), [
    ["w1-1", 512 + 10 * one.length],
    ["w1-2", 512],
  ]);
});

Deno.test("a session that ended is told of behind those that began while it lasted", () => {
  const [first, last] = [eventsOf("w1-1"), eventsOf("w1-2")];
  const told = throughTheWire([first[0]!, last[0]!, first.at(-1)!]);
  assertEquals(told.map(({ type, session }) => `${type} ${session}`), [
    "connected w1-2",
    "connected w1-1",
    "disconnected w1-1",
  ]);
});
