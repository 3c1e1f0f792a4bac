// The cache's octets: what was written is read, and nothing else is believed.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeCache, encodeCache } from "../../lib/mail/cache_format.ts";
import { Catalogue, Folder, Mark } from "../../lib/mail/catalogue.ts";

const STAMPS = {
  new: { device: 1, inode: 2, modified: 3, changed: 6 },
  cur: { device: 1, inode: 4, modified: 5, changed: 7 },
};

function sample(names: string[] = ["1.a", "2.b:2,S", "3.é"]): Catalogue {
  const catalogue = new Catalogue(names, new Uint8Array(names.length).fill(Folder.CUR));
  names.forEach((_, row) => {
    if (row === 1) return;
    catalogue.marks[row] = Mark.VERBATIM | Mark.NAMED;
    catalogue.size[row] = 10 + row;
    catalogue.storedSize[row] = 9 + row;
    catalogue.modified[row] = 1_700_000_000_000 + row;
    catalogue.firstRetrieved[row] = row;
  });
  return catalogue;
}

Deno.test("a cache is read as it was written", () => {
  for (const names of [[], ["1.a"], ["1.a", "2.b:2,S", "3.é"]]) {
    for (const stamps of [STAMPS, undefined]) {
      const contents = { catalogue: sample(names), stamps };
      assertEquals(decodeCache(encodeCache(contents)), contents);
    }
  }
});

Deno.test("a cache that was cut or changed anywhere is not believed", () => {
  const whole = encodeCache({ catalogue: sample(), stamps: STAMPS });
  for (let length = 0; length < whole.length; length++) {
    assertEquals(decodeCache(whole.slice(0, length)), undefined);
  }
  for (let at = 0; at < whole.length; at++) {
    for (const bit of [1, 0x80]) {
      const changed = whole.slice();
      changed[at]! ^= bit;
      assertEquals(decodeCache(changed), undefined, `octet ${at}`);
    }
  }
});

Deno.test("no octets make the cache's reader fail", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => {
    assertEquals(decodeCache(octets.slice()), undefined);
  }));
});

Deno.test("names that could lead out of the mailbox are not believed, whatever the checksum says", () => {
  for (const name of ["../1", "a/b", "", ".", "..", ".x", "a\0b", "n".repeat(256)]) {
    assertEquals(
      decodeCache(encodeCache({ catalogue: sample([name]), stamps: STAMPS })),
      undefined,
      name,
    );
  }
});

Deno.test("rows that cannot be true are not believed", () => {
  const break_: ((catalogue: Catalogue) => void)[] = [
    (catalogue) => catalogue.size[0] = 8,
    (catalogue) => catalogue.size[0] = 21,
    (catalogue) => catalogue.size[0] = NaN,
    (catalogue) => catalogue.size[0] = 9.5,
    (catalogue) => catalogue.storedSize[0] = -1,
    (catalogue) => catalogue.storedSize[0] = Infinity,
    (catalogue) => catalogue.firstRetrieved[0] = NaN,
    (catalogue) => catalogue.folders[0] = 7,
    (catalogue) => catalogue.names.reverse(),
    (catalogue) => catalogue.names[1] = catalogue.names[0]!,
  ];
  for (const change of break_) {
    const catalogue = sample();
    assert(decodeCache(encodeCache({ catalogue, stamps: undefined })) !== undefined);
    change(catalogue);
    assertEquals(
      decodeCache(encodeCache({ catalogue, stamps: undefined })),
      undefined,
      String(change),
    );
  }
});

Deno.test("an empty message that an older version measured as none has one empty line", () => {
  const catalogue = sample(["1.a"]);
  catalogue.size[0] = catalogue.storedSize[0] = 0;
  const read = decodeCache(encodeCache({ catalogue, stamps: undefined }))!.catalogue;
  assertEquals([read.size[0], read.storedSize[0], read.marks[0]], [2, 0, Mark.NAMED]);
});
