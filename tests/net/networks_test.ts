import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  addressGroup,
  addressText,
  canonicalAddress,
  clientNetworks,
  isLoopback,
  NetworkList,
  parseAddress,
  parseNetwork,
} from "../../lib/net/networks.ts";

Deno.test("addresses take one form each (RFC 5952)", () => {
  const forms: [string, string | undefined][] = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:c000:207", "192.0.2.7"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["1::", "1::"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["192.0.2", undefined],
    ["192.0.2.256", undefined],
    ["192.0.2.07", undefined],
    ["192.0.2.7.1", undefined],
    ["", undefined],
    [":", undefined],
    [":::", undefined],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:2:3:4::5:6:7:8", undefined],
    ["12345::", undefined],
    ["g::", undefined],
    ["1.2.3.4::", undefined],
  ];
  for (const [written, form] of forms) assertEquals(canonicalAddress(written), form, written);
});

Deno.test("address that was written reads back the same", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
    const text = addressText(new Uint8Array(octets));
    assertEquals(canonicalAddress(text), canonicalAddress(text.toUpperCase()));
    const back = parseAddress(text);
    assertEquals(
      back?.length === 4 ? [...back] : [...back ?? []],
      [...octets].slice(back?.length === 4 ? 12 : 0),
    );
  }));
  fc.assert(fc.property(fc.ipV4(), (text) => assertEquals(canonicalAddress(text), text)));
  fc.assert(fc.property(fc.ipV6(), (text) => assert(canonicalAddress(text) !== undefined)));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void canonicalAddress(text)));
});

Deno.test("networks hold their addresses and no others", () => {
  const list = new NetworkList([
    "192.0.2.0/24",
    "10.1.2.3",
    "2001:db8::/33",
    "::ffff:172.16.0.0/108",
  ]);
  for (
    const address of [
      "192.0.2.255",
      "::ffff:192.0.2.1",
      "10.1.2.3",
      "2001:db8:7fff::1",
      "172.31.0.1",
    ]
  ) {
    assert(list.holds(address), address);
  }
  for (
    const address of ["192.0.3.0", "10.1.2.4", "2001:db8:8000::", "172.32.0.1", "::1", "", "x"]
  ) {
    assert(!list.holds(address), address);
  }
  assert(new NetworkList(["0.0.0.0/0"]).holds("203.0.113.9"));
  assert(!new NetworkList(["0.0.0.0/0"]).holds("::1"));
  assert(new NetworkList(["::/0"]).holds("::1"));
  assert(!new NetworkList([]).holds("127.0.0.1"));
});

Deno.test("network that is none is refused with a sentence", () => {
  for (
    const text of ["", "x", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129", "1.2.3.4/8/8"]
  ) {
    assertThrows(() => parseNetwork(text), SyntaxError, "is no network", text);
  }
  assertThrows(() => parseNetwork("192.0.2.7/24"), SyntaxError, "did you mean 192.0.2.0/24?");
});

Deno.test("clients of one IPv6 /64 are one", () => {
  const networks: [string, string, string | undefined][] = [
    ["2001:db8::1", "2001:db8::/64", "2001:db8::/48"],
    ["2001:db8:0:0:ffff::1", "2001:db8::/64", "2001:db8::/48"],
    ["2001:db8:7:1::1", "2001:db8:7:1::/64", "2001:db8:7::/48"],
    ["2001:0DB8:0:0::7", "2001:db8::/64", "2001:db8::/48"],
    ["fe80::1%eth0", "fe80::/64", "fe80::/48"],
    ["1:2:3:4::", "1:2:3:4::/64", "1:2:3::/48"],
    ["192.0.2.7", "192.0.2.7", undefined],
    ["::ffff:192.0.2.7", "192.0.2.7", undefined],
    // The machine itself is no customer's network, and a translator's /96 is all of IPv4.
    ["::1", "::1", undefined],
    ["64:ff9b::192.0.2.7", "64:ff9b::c000:207", undefined],
    ["64:ff9b::192.0.2.8", "64:ff9b::c000:208", undefined],
    ["no address", "no address", undefined],
  ];
  for (const [address, own, wide] of networks) {
    assertEquals(clientNetworks(address), wide === undefined ? { own } : { own, wide });
    assertEquals(addressGroup(address), own);
  }
});

Deno.test("loopback is one thing, however it is written", () => {
  for (
    const address of [
      "127.0.0.1",
      "127.255.0.9",
      "::1",
      "0:0:0:0:0:0:0:1",
      "::ffff:127.0.0.1",
      "::1%lo",
      "localhost",
      "LocalHost",
    ]
  ) {
    assert(isLoopback(address), address);
  }
  for (
    const address of ["128.0.0.1", "::", "::2", "::127.0.0.1", "127.0.0.1.example.org", "127.1", ""]
  ) {
    assert(!isLoopback(address), address);
  }
});
