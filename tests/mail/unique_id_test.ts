// Unique-ids fit the protocol, and different messages have different ones.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { maildirId, plainId, twinId } from "../../lib/mail/naming/unique_id.ts";

const FIT = /^[\x21-\x7e]{1,70}$/;

Deno.test("maildirId is the unique part where the protocol can carry it", () => {
  assertEquals(maildirId("1700000000.M1P1.host,S=5"), "1700000000.M1P1.host,S=5");
  assertEquals(maildirId("x".repeat(70)), "x".repeat(70));
});

Deno.test("maildirId hashes what cannot be carried, and what looks like a hash", () => {
  for (const name of ["", "x".repeat(71), "a b", "é", "a\x7f", "\x1b[2J", "=abc"]) {
    const id = maildirId(name);
    assert(FIT.test(id) && id.startsWith("="), name);
    assertNotEquals(id, name);
    assertEquals(maildirId(id).startsWith("="), true);
    assertNotEquals(maildirId(id), id);
  }
});

Deno.test("ids of different names differ, whatever the names", () => {
  const name = fc.string({ unit: "binary" }).filter((text) => text.isWellFormed());
  fc.assert(fc.property(name, name, (a, b) => {
    assert(FIT.test(maildirId(a)) && FIT.test(plainId(a, 1, 2)) && FIT.test(twinId(a, 1, 2, 0)));
    assertEquals(maildirId(a) === maildirId(b), a === b);
    assertNotEquals(twinId(a, 1, 2, 0), maildirId(b));
  }));
});

Deno.test("plainId differs by name, time and size", () => {
  const ids = [
    plainId("a", 1, 2),
    plainId("a", 1, 3),
    plainId("a", 2, 2),
    plainId("b", 1, 2),
    plainId("é", 1, 2),
    plainId("é", 12, 2),
    plainId("é", 1, 22),
  ];
  assertEquals(new Set(ids).size, ids.length);
});
