// SHA512-CRYPT agrees with glibc's crypt(3), which made these hashes.

import { assertEquals, assertThrows } from "@std/assert";
import { isSha512Crypt, verifySha512Crypt } from "../../lib/auth/foreign_hashes/sha512_crypt.ts";

const HASHES = [
  [
    "correct horse",
    "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
  ],
  [
    "Grüße 64" + "x".repeat(54),
    "$6$rounds=1400$anotherlongsalts$3ByXIUFv0FnACdJwF16fv7EUxVpldOibWqwxyc/wQFTZDO55Kn2evFp2spBMa.yykkyCq5StG44SGrA9nYlhn/",
  ],
  [
    "",
    "$6$rounds=1000$a$q/ZSdy9IBSzcpbaIjdRTOu569QiYiP4n7Ab08Oq1Ir6J.GD1xR3BAwRIYHnavtE1Wzodknd9BxknlHhFBP/az1",
  ],
  // Exactly one digest long, where other implementations go wrong.
  [
    "y".repeat(64),
    "$6$rounds=1000$a$Mo6EcsQ8cCpq/PWiXKeqMWDM9l5quFChbFAZTjKA0KlSbuUjXs5Zs3.6WkEBUU3JUtVdWRjDj5GMBACWbDF8Z0",
  ],
] as const;

Deno.test("SHA512-CRYPT takes the passwords that crypt(3) hashed, and no others", () => {
  for (const [password, hash] of HASHES) {
    assertEquals(verifySha512Crypt(password, hash), true, hash);
    assertEquals(verifySha512Crypt(`${password}!`, hash), false, hash);
  }
});

Deno.test("SHA512-CRYPT knows its form", () => {
  const [, hash] = HASHES[0];
  assertEquals(isSha512Crypt(hash), true);
  for (
    const text of ["", "$6$", "$5$a$b", hash.slice(1), hash.slice(0, -1), `${hash}.`, `${hash}\n`]
  ) {
    assertEquals(isSha512Crypt(text), false, text);
    assertThrows(() => verifySha512Crypt("x", text), TypeError);
  }
});
