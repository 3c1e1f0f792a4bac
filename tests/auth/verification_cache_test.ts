// The verification cache remembers what was right, for one revision, and only so much of it.

import { assertEquals } from "@std/assert";
import { VerificationCache } from "../../lib/auth/verification_cache.ts";

Deno.test("verification cache knows a password for one name and one revision", () => {
  const cache = new VerificationCache();
  assertEquals(cache.knows("ann", "1", "x"), undefined);
  cache.remember("ann", "1", "x");
  assertEquals(cache.knows("ann", "1", "x"), "");
  assertEquals(cache.knows("ann", "1", "y"), undefined);
  assertEquals(cache.knows("bob", "1", "x"), undefined);
  assertEquals(cache.knows("ann", "2", "x"), undefined);
  assertEquals(cache.knows("ann", "1", "x"), undefined, "another revision makes it forget");
});

Deno.test("verification cache remembers several passwords of one user", () => {
  const cache = new VerificationCache();
  cache.remember("ann", "1", "x");
  cache.remember("ann", "1", "y", "phone");
  assertEquals([cache.knows("ann", "1", "x"), cache.knows("ann", "1", "y")], ["", "phone"]);
});

Deno.test("verification cache forgets the least recently used", () => {
  const cache = new VerificationCache({ entries: 2 });
  cache.remember("a", "1", "x");
  cache.remember("b", "1", "x");
  cache.knows("a", "1", "x");
  cache.remember("c", "1", "x");
  assertEquals(cache.size, 2);
  assertEquals(["a", "b", "c"].map((name) => cache.knows(name, "1", "x")), ["", undefined, ""]);
});
