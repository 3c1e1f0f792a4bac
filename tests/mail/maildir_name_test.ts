// Names of a Maildir's files, hostile ones included.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  compareNames,
  deliveryTime,
  identityPart,
  idPart,
  seenName,
  separatorOf,
  uniquePart,
} from "../../lib/mail/naming/maildir_name.ts";

const HOSTILE = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.stringMatching(/^[0-9]{0,20}\.?[MPRQV0-9_#.]{0,20}(:2,[A-Za-z,:]{0,8})?$/),
);

Deno.test("uniquePart ends before the flags", () => {
  assertEquals(uniquePart("1.M2P3.host:2,FS"), "1.M2P3.host");
  assertEquals(uniquePart("1.M2P3.host,S=5,W=6:2,"), "1.M2P3.host,S=5,W=6");
  assertEquals(uniquePart("1.host:1,x"), "1.host:1,x");
  assertEquals(uniquePart("1.host"), "1.host");
  assertEquals(uniquePart(":2,S"), "");
});

Deno.test("uniquePart knows other separators of flags, where nothing but flags follows", () => {
  assertEquals(uniquePart("1.M2P3.host;2,FS"), "1.M2P3.host");
  assertEquals(uniquePart("1.M2P3.host!2,"), "1.M2P3.host");
  assertEquals(uniquePart("1.host;2,S.txt"), "1.host;2,S.txt");
  assertEquals(uniquePart("1.host;2,S:2,"), "1.host;2,S");
});

Deno.test("identityPart leaves out what other programs add and correct, idPart what comes after delivery", () => {
  const parts = (name: string): string[] => [identityPart(name), idPart(name)];
  assertEquals(parts("1.host,S=5,W=6:2,"), ["1.host", "1.host,S=5,W=6"]);
  assertEquals(parts("1.host,U=12:2,FS"), ["1.host", "1.host"]);
  assertEquals(parts("1.host,S=5,U=12,W=-1;2,"), ["1.host", "1.host,S=5,W=-1"]);
  assertEquals(parts("1.host,U=1,X=2"), ["1.host,U=1,X=2", "1.host,U=1,X=2"]);
  assertEquals(parts("1.a,b,S=5"), ["1.a,b", "1.a,b,S=5"]);
  assertEquals(parts(",U=5:2,S"), ["", ""]);
  assertEquals(parts("1.host,"), ["1.host,", "1.host,"]);
});

Deno.test("deliveryTime reads seconds and microseconds, and nothing from other names", () => {
  assertEquals(deliveryTime("1700000000.M123456P7.host"), 1_700_000_000_123_456);
  assertEquals(deliveryTime("1700000000.V801I2M5P7Q1.host:2,S"), 1_700_000_000_000_005);
  assertEquals(deliveryTime("1700000000.7_1.host"), 1_700_000_000_000_000);
  assertEquals(deliveryTime("1700000000.P7.M99.host"), 1_700_000_000_000_000);
  assertEquals(deliveryTime("12"), 12_000_000);
  for (
    const name of ["", "mail", "12a.host", ".12", "99999999999999999999999.M1.host", "-5.host"]
  ) {
    assertEquals(deliveryTime(name), 0, name);
  }
});

Deno.test("seenName adds S in alphabetical order and keeps the rest", () => {
  assertEquals(seenName("1.host"), "1.host:2,S");
  assertEquals(seenName("1.host:2,"), "1.host:2,S");
  assertEquals(seenName("1.host:2,FT"), "1.host:2,FST");
  assertEquals(seenName("1.host:2,Fab"), "1.host:2,FSab");
  assertEquals(seenName("1.host:2,RS"), "1.host:2,RS");
  assertEquals(seenName("1.host:2,R,x=1"), "1.host:2,RS,x=1");
  assertEquals(seenName("1.host;2,R"), "1.host;2,RS");
  assertEquals(seenName("1.host", separatorOf("2.host!2,S")), "1.host!2,S");
  assertEquals(seenName("1.host", separatorOf("2.host")), "1.host:2,S");
});

Deno.test("names of any kind keep their unique part and time when seen", () => {
  fc.assert(fc.property(HOSTILE, (name) => {
    const seen = seenName(name);
    assertEquals(uniquePart(seen), uniquePart(name));
    assertEquals(seenName(seen), seen);
    assert(Number.isSafeInteger(deliveryTime(name)) && deliveryTime(name) >= 0);
  }));
});

Deno.test("compareNames is a total order", () => {
  fc.assert(fc.property(HOSTILE, HOSTILE, HOSTILE, (a, b, c) => {
    assertEquals(Math.sign(compareNames(a, b)) + Math.sign(compareNames(b, a)), 0);
    assertEquals(compareNames(a, b) === 0, a === b);
    if (compareNames(a, b) < 0 && compareNames(b, c) < 0) assert(compareNames(a, c) < 0);
  }));
});
