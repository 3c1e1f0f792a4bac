// The cache's octets: what was written is read, and nothing else is believed.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeCache, encodeCache } from "../../lib/mail/folder/cache_format.ts";
import { Folder, Mark, MessageIndex } from "../../lib/mail/folder/message_index.ts";

const STAMPS = {
  new: { device: 1, inode: 2, modified: 3, changed: 6 },
  cur: { device: 1, inode: 4, modified: 5, changed: 7 },
};

const ORIGIN = {
  runningId: "0123456789abcdef",
  running: 5.5,
  inode: 2 ** 40,
  born: 1_700_000_000_000,
};

function sample(names: string[] = ["1.a", "2.b:2,S", "3.é"]): MessageIndex {
  const messageIndex = new MessageIndex(names, new Uint8Array(names.length).fill(Folder.CUR));
  names.forEach((_, row) => {
    if (row === 1) return;
    messageIndex.marks[row] = Mark.VERBATIM | Mark.NAMED;
    messageIndex.size[row] = 10 + row;
    messageIndex.storedSize[row] = 9 + row;
    messageIndex.modified[row] = 1_700_000_000_000 + row;
    messageIndex.firstRetrieved[row] = row;
  });
  return messageIndex;
}

Deno.test("a cache is read as it was written", () => {
  for (const names of [[], ["1.a"], ["1.a", "2.b:2,S", "3.é"]]) {
    for (const stamps of [STAMPS, undefined]) {
      const contents = { messageIndex: sample(names), stamps, origin: ORIGIN };
      assertEquals(decodeCache(encodeCache(contents)), contents);
    }
  }
});

Deno.test("a cache that was cut or changed anywhere is not believed", () => {
  const whole = encodeCache({ messageIndex: sample(), stamps: STAMPS, origin: ORIGIN });
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
      decodeCache(encodeCache({ messageIndex: sample([name]), stamps: STAMPS, origin: ORIGIN })),
      undefined,
      name,
    );
  }
});

Deno.test("rows that cannot be true are not believed", () => {
  const break_: ((messageIndex: MessageIndex) => void)[] = [
    (messageIndex) => messageIndex.size[0] = 8,
    (messageIndex) => messageIndex.size[0] = 21,
    (messageIndex) => messageIndex.size[0] = NaN,
    (messageIndex) => messageIndex.size[0] = 9.5,
    (messageIndex) => messageIndex.storedSize[0] = -1,
    (messageIndex) => messageIndex.storedSize[0] = Infinity,
    (messageIndex) => messageIndex.firstRetrieved[0] = NaN,
    (messageIndex) => messageIndex.folders[0] = 7,
    (messageIndex) => messageIndex.names.reverse(),
    (messageIndex) => messageIndex.names[1] = messageIndex.names[0]!,
  ];
  for (const change of break_) {
    const messageIndex = sample();
    assert(
      decodeCache(encodeCache({ messageIndex, stamps: undefined, origin: ORIGIN })) !== undefined,
    );
    change(messageIndex);
    assertEquals(
      decodeCache(encodeCache({ messageIndex, stamps: undefined, origin: ORIGIN })),
      undefined,
      String(change),
    );
  }
});

Deno.test("an empty message that an older version measured as none has one empty line", () => {
  const messageIndex = sample(["1.a"]);
  messageIndex.size[0] = messageIndex.storedSize[0] = 0;
  const read =
    decodeCache(encodeCache({ messageIndex, stamps: undefined, origin: ORIGIN }))!.messageIndex;
  assertEquals([read.size[0], read.storedSize[0], read.marks[0]], [2, 0, Mark.NAMED]);
});
