// Connections by address: exact over several threads' tables, by network, and forgotten with a thread.
import { assertEquals } from "@std/assert";
import { AddressConnections, addressMemory } from "../../lib/net/address_connections.ts";

Deno.test("connections of an address are counted over all threads, and IPv6 by /64", () => {
  const memory = addressMemory(4);
  const [one, other] = [new AddressConnections(memory, 0), new AddressConnections(memory, 3)];
  assertEquals(one.enter("192.0.2.1").count, 1);
  const { cell, count } = other.enter("192.0.2.1");
  assertEquals(count, 2);
  assertEquals(one.enter("::ffff:192.0.2.1").count, 3);
  assertEquals(one.enter("192.0.2.2").count, 1);
  other.leave(cell);
  assertEquals(other.enter("192.0.2.1").count, 3);
  assertEquals(one.enter("2001:db8::1").count, 1);
  assertEquals(other.enter("2001:db8:0:0:ffff::2").count, 2);
  assertEquals(other.enter("2001:db8:0:1::1").count, 1);
  assertEquals(one.enter("64:ff9b::192.0.2.7").count, 1);
  assertEquals(one.enter("64:ff9b::192.0.2.8").count, 1);
});

Deno.test("many addresses are counted each for itself, and cells are used again", () => {
  const connections = AddressConnections.ofOneThread();
  for (let round = 0; round < 20; round++) {
    const cells = Array.from({ length: 4000 }, (_, index) => {
      const address = `10.${round}.${index >> 8}.${index & 255}`;
      const { cell, count } = connections.enter(address);
      assertEquals([address, count], [address, 1]);
      return cell;
    });
    for (const cell of cells) connections.leave(cell);
  }
});

Deno.test("a thread that is gone counts no more", () => {
  const memory = addressMemory(2);
  const [one, other] = [new AddressConnections(memory, 0), new AddressConnections(memory, 1)];
  one.enter("192.0.2.1");
  one.enter("192.0.2.1");
  assertEquals(other.enter("192.0.2.1").count, 3);
  one.forgetThread();
  assertEquals(other.enter("192.0.2.1").count, 2);
});

Deno.test("a thread beyond those that were expected counts nothing, and others go on", () => {
  const memory = addressMemory(1);
  const [one, beyond] = [new AddressConnections(memory, 0), new AddressConnections(memory, 1)];
  for (let count = 0; count < 3; count++) assertEquals(beyond.enter("192.0.2.1").count, 1);
  assertEquals(one.enter("192.0.2.1").count, 1);
  beyond.forgetThread();
});
