// SCRAM-SHA-256 agrees with the RFC's example, and passwords become octets as SASLprep says.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { passwordOctets } from "../../lib/auth/password_text.ts";
import { PasswordWork } from "../../lib/auth/password_work.ts";
import { checkProof } from "../../lib/auth/scram_keys.ts";

Deno.test("SCRAM keys fit the example of RFC 7677, section 3", async () => {
  const salt = Uint8Array.fromBase64("W22ZaJ0SNY7soEsUEjb6gQ==");
  const keys = await new PasswordWork().derive("pencil", { salt, iterations: 4096 });
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const authMessage = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
    `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
  const proof = Uint8Array.fromBase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  const other = { storedKey: new Uint8Array(32), serverKey: new Uint8Array(32) };
  for (const candidates of [[keys], [other, keys], [keys, other]]) {
    const signature = checkProof(candidates, authMessage, proof);
    assertEquals(
      signature?.serverSignature.toBase64(),
      "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    );
  }
  assertEquals(checkProof([other], authMessage, proof), undefined);
  assertEquals(checkProof([], authMessage, proof), undefined);
  assertEquals(checkProof([keys], `${authMessage}x`, proof), undefined);
});

Deno.test("passwords in ASCII are taken as they are", () => {
  fc.assert(fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
    assertEquals(passwordOctets(text), new TextEncoder().encode(text));
  }));
});

Deno.test("passwords become the same octets however they were typed", () => {
  const text = (password: string): string => new TextDecoder().decode(passwordOctets(password));
  // The examples of RFC 4013, section 3, and two ways to write the same letters.
  assertEquals(text("I\u00adX"), "IX");
  assertEquals(text("\u00aa"), "a");
  assertEquals(text("\u2168"), "IX");
  assertEquals(text("a\u00a0b"), "a b");
  assertEquals(text("pa\u0308ss"), "p\u00e4ss");
  assertEquals(text("😀"), "😀");
  // What SASLprep would refuse stays as it is.
  assertEquals(text("\u00aa\u0007"), "\u00aa\u0007");
  assertEquals(text("\u00ad"), "\u00ad");
  assertEquals(text("\u00aa\ue000"), "\u00aa\ue000");
});
