import { assertEquals } from "@std/assert";
import { HandshakeFailures } from "../../lib/log/handshake_failures.ts";
import { notes } from "../observe/support.ts";
import { TestClock } from "../support/test_clock.ts";

Deno.test("failed handshakes are told each at debug, and once a minute at info for each reason", () => {
  const { said, log } = notes();
  const clock = new TestClock();
  const failures = new HandshakeFailures(log, clock);
  const old = { address: "192.0.2.7", reason: "client offers TLS 1.0 only" };
  for (let time = 0; time < 30; time++) failures.failed(old);
  failures.failed({ address: "192.0.2.8", reason: undefined });
  clock.advance(60_000);
  failures.failed({ ...old, address: "192.0.2.9" });
  assertEquals(said.filter((line) => line.startsWith("debug")).length, 32);
  assertEquals(said.filter((line) => line.startsWith("info")), [
    "info: TLS handshake failed: client offers TLS 1.0 only; last client 192.0.2.7",
    "info: TLS handshake failed: for an unknown reason; last client 192.0.2.8",
    "info: TLS handshake failed: client offers TLS 1.0 only; last client 192.0.2.9, 29 others since it was last said",
  ]);
  for (let reason = 0; reason < 1000; reason++) {
    failures.failed({ address: "192.0.2.7", reason: `reason ${reason}` });
  }
  assertEquals(said.filter((line) => line.startsWith("info")).length <= 53, true);
});
