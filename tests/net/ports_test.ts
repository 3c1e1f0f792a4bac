// Which addresses the program listens on: both families where there are two, IPv4 alone where there is one.
import { assertEquals, assertThrows } from "@std/assert";
import { findPorts, type ProbeListen } from "../../lib/net/ports.ts";
import { ListenError } from "../../lib/net/start_error.ts";

/** A machine whose kernel was started without IPv6. */
const withoutIpv6: ProbeListen = ({ hostname, port }) => {
  if (hostname.includes(":")) {
    throw new Error("Address family not supported by protocol (os error 97)");
  }
  return Deno.listen({ hostname: "127.0.0.1", port });
};

Deno.test("a machine without IPv6 is served by IPv4 alone", () => {
  const { listen, withoutIpv6: alone } = findPorts([], 0, withoutIpv6);
  assertEquals([listen.map(({ hostname }) => hostname), alone], [["0.0.0.0"], true]);
});

Deno.test("an IPv6 address that is asked for by name must be there", () => {
  const error = assertThrows(() => findPorts(["127.0.0.1", "::1"], 0, withoutIpv6), ListenError);
  assertEquals(error.message.includes("::1"), true);
});

Deno.test("a port that another program has is refused for all interfaces, too", () => {
  using taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const error = assertThrows(() => findPorts([], taken.addr.port), ListenError);
  assertEquals(error.systemError, "AddrInUse");
});

Deno.test("all addresses share the port that was free", () => {
  const { listen } = findPorts(["127.0.0.1", "127.0.0.2"], 0);
  assertEquals(listen.length, 2);
  assertEquals(listen[0]!.port, listen[1]!.port);
});

Deno.test("addresses that are given twice, or stand beside all interfaces, do not take each other's port", () => {
  const addresses = (...given: string[]): string[] =>
    findPorts(given, 0).listen.map(({ hostname }) => hostname);
  assertEquals(addresses("127.0.0.1", "127.0.0.2", "127.0.0.1"), ["127.0.0.1", "127.0.0.2"]);
  assertEquals(addresses("127.0.0.1", "0.0.0.0"), ["0.0.0.0"]);
  assertEquals(addresses("0.0.0.0", "::")[0], "::");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assertThrows(() => findPorts(["0.0.0.0", "127.0.0.1"], taken.addr.port), ListenError);
});
