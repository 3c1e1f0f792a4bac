// The listener: no faster than places come free, unharmed by clients that leave, and patient when it retires.
import { assertEquals } from "@std/assert";
import type { Connection } from "../../lib/contracts/connection.ts";
import { Listener } from "../../lib/net/listener.ts";
import { SharedConnectionSlots } from "../../lib/net/shared_connection_slots.ts";
import { Yielder } from "../../lib/async/yielder.ts";
import { eventually, within } from "../support/waiting.ts";

interface Fixture extends Disposable {
  readonly listener: Listener;
  /** Those who are served. */
  readonly served: Connection[];
  readonly faults: unknown[];
  /** Ends the service of the one who is served longest. */
  release(): void;
  connect(): Promise<Deno.TcpConn>;
}

function listen(limit: number): Fixture {
  const served: Connection[] = [];
  const faults: unknown[] = [];
  const ends: (() => void)[] = [];
  const listener = new Listener({
    hostname: "127.0.0.1",
    port: 0,
    slots: SharedConnectionSlots.ofOneThread(limit),
    yielder: new Yielder(),
    serve: async (connection) => {
      served.push(connection);
      await new Promise<void>((resolve) => ends.push(resolve));
      connection[Symbol.dispose]();
    },
    fault: (error) => faults.push(error),
  });
  return {
    listener,
    served,
    faults,
    release: () => ends.shift()?.(),
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: listener.address.port }),
    [Symbol.dispose]: () => {
      listener[Symbol.dispose]();
      for (const end of ends) end();
      for (const connection of served) connection[Symbol.dispose]();
    },
  };
}

Deno.test("a listener that retires serves those who wait in the backlog, and then nobody", async () => {
  using all = listen(1);
  const { listener, served } = all;
  void listener.run();
  const clients = [];
  for (let count = 0; count < 5; count++) clients.push(await all.connect());
  await eventually("one being served", () => served.length === 1);
  const closed = Promise.withResolvers<void>();
  let handedOver = false;
  const retired = listener.retire(closed.resolve).then(() => handedOver = true);
  await within(closed.promise, "the port being closed");
  let refused = false;
  try {
    clients.push(await all.connect());
  } catch (error) {
    refused = error instanceof Deno.errors.ConnectionRefused;
  }
  assertEquals([refused, handedOver], [true, false]);
  for (let count = 1; count < 5; count++) {
    all.release();
    await eventually("the next being served", () => served.length === count + 1);
  }
  await within(retired, "the listener's retirement");
  for (const client of clients) client.close();
});

Deno.test("a listener that is disposed of cuts off those who wait, and gives no place to them", async () => {
  using all = listen(1);
  const { listener, served } = all;
  void listener.run();
  using first = await all.connect();
  using second = await all.connect();
  await eventually("one being served", () => served.length === 1);
  const retired = listener.retire(() => {});
  listener[Symbol.dispose]();
  all.release();
  await within(retired, "the listener's end");
  assertEquals(await within(second.read(new Uint8Array(1)).catch(() => null), "the end"), null);
  assertEquals(served.length, 1);
  void first;
});

Deno.test("clients that leave before they are served are no fault", async () => {
  using all = listen(2);
  const { listener, served, faults } = all;
  const gone = await Promise.all(Array.from({ length: 20 }, () => all.connect()));
  for (const client of gone) client.close();
  void listener.run();
  for (let count = 0; count < 20; count++) {
    await eventually("the next being taken", () => served.length > count);
    all.release();
  }
  using client = await all.connect();
  await eventually("one being served", () => served.length === 21);
  assertEquals(faults, []);
  void client;
});
