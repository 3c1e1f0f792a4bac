/** Base64 is taken to the letter of RFC 4648, and given so. */

import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../lib/bytes/base64.ts";
import { octetsOf, textOf } from "../support/awkward_messages.ts";

Deno.test("decodeBase64 takes the examples of RFC 4648, section 10", () => {
  const examples = { "": "", "Zg==": "f", "Zm8=": "fo", "Zm9v": "foo", "Zm9vYg==": "foob" };
  for (const [encoded, text] of Object.entries(examples)) {
    assertEquals(decodeBase64(encoded), octetsOf(text));
    assertEquals(decodeBase64(octetsOf(encoded)), octetsOf(text));
    assertEquals(encodeBase64(text), encoded);
  }
});

Deno.test("decodeBase64 refuses everything else", () => {
  const refused = [
    ...["=", "==", "===", "====", "Z", "Zg", "Zg=", "Zm8", "Zg===", "Zm9v=", "=Zm9", "Zm9vYg"],
    ...["Zm 9", "Zm9v ", " Zm9v", "Zm9v\n", "Zm9v\r\n", "Zm\t=", "Zg==\n", "Zg==Zg==", "Zg= ="],
    ...["Zm-_", "Zm9\0", "Zm9.", "Zm9é", "Zm9\uff0b", "*", "Zg=g", "Z===", "Zm9v\n\n\n\n"],
    ...["Zh==", "Zm9=", "Z/==", "Zm//=", "AB==", "AAB="],
  ];
  for (const text of refused) assertEquals(decodeBase64(text), undefined, JSON.stringify(text));
  assertEquals(decodeBase64(octetsOf("Zm9\xff")), undefined);
  assertEquals(decodeBase64(octetsOf("\xef\xbb\xbfZm9v")), undefined, "a byte order mark");
});

Deno.test("decodeBase64 undoes encodeBase64", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
    assertEquals(textOf(decodeBase64(encodeBase64(octets)) as Uint8Array), textOf(octets));
  }));
});

Deno.test("decodeBase64 takes only what encodeBase64 gives", () => {
  const likely = fc.string({ unit: fc.constantFrom(..."AQgwz09+/=="), maxLength: 9 });
  fc.assert(fc.property(likely, (text) => {
    const octets = decodeBase64(text);
    if (octets !== undefined) assertEquals(encodeBase64(octets), text);
  }));
});
