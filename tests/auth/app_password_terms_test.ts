/** What app passwords may be good for: how it is written, refused, shown and checked. */

import { assertEquals, assertThrows } from "@std/assert";
import { isGoodFor, readLabelAndTerms, termsText } from "../../lib/auth/app_password_terms.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

Deno.test("terms stand behind a label, in any order; a label may hold words like them", () => {
  assertEquals(readLabelAndTerms("my  phone", NOW), { label: "my  phone", terms: {} });
  assertEquals(readLabelAndTerms("read-only", NOW), { label: "read-only", terms: {} });
  assertEquals(readLabelAndTerms("read-only pad read-only", NOW), {
    label: "read-only pad",
    terms: { readOnly: true },
  });
  const all = readLabelAndTerms(
    "pad networks=192.0.2.7,2001:db8::/32 read-only expires=2026-12-31",
    NOW,
  );
  assertEquals(all, {
    label: "pad",
    terms: {
      networks: ["192.0.2.7/32", "2001:db8::/32"],
      readOnly: true,
      expires: Date.UTC(2027, 0, 1),
    },
  });
  assertEquals(
    termsText(all.terms),
    "expires=2027-01-01T00:00:00Z networks=192.0.2.7/32,2001:db8::/32 read-only",
  );
  assertEquals(readLabelAndTerms("pad expires=90d", NOW).terms.expires, NOW + 90 * 86_400_000);
  assertEquals(readLabelAndTerms("pad expires=2026-02-01T00:30Z", NOW).terms, {
    expires: Date.UTC(2026, 1, 1, 0, 30),
  });
});

Deno.test("terms that are wrong, past or given twice are refused with a sentence", () => {
  const wrong = [
    "expires=",
    "expires=soon",
    "expires=2026-13-01",
    "expires=2026-01-30",
    "expires=0d",
    "expires=99999d",
    "networks=",
    "networks=192.0.2.0/33",
    "networks=192.0.2.7,,::1",
    "read-only read-only",
    `networks=${Array(33).fill("::1").join(",")}`,
  ];
  for (const term of wrong) {
    assertThrows(() => readLabelAndTerms(`pad ${term}`, NOW), SyntaxError, undefined, term);
  }
});

Deno.test("an app password is good until its end and in its networks", () => {
  assertEquals(isGoodFor({}, "192.0.2.7", NOW), true);
  assertEquals(isGoodFor({ expires: NOW + 1 }, "", NOW), true);
  assertEquals(isGoodFor({ expires: NOW }, "", NOW), false);
  const networks = ["192.0.2.0/24", "2001:db8::/32"];
  assertEquals(isGoodFor({ networks }, "192.0.2.200", NOW), true);
  assertEquals(isGoodFor({ networks }, "::ffff:192.0.2.200", NOW), true);
  assertEquals(isGoodFor({ networks }, "2001:db8:1::1", NOW), true);
  assertEquals(isGoodFor({ networks }, "198.51.100.1", NOW), false);
  assertEquals(isGoodFor({ networks }, "", NOW), false);
});
