// The cache's octets: what was written is read, and nothing else is believed.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { crc32 } from "node:zlib";
import { Yielder } from "../../lib/async/yielder.ts";
import {
  type CacheContents,
  decodeCache as decode,
  encodeCache as encode,
} from "../../lib/mail/folder/cache_format.ts";
import { concat } from "../contracts/mail_store_contract.ts";
import { NameTable } from "../../lib/mail/listing/name_table.ts";
import { Folder, Mark, MessageIndex } from "../../lib/mail/folder/message_index.ts";

const task = new Yielder();
const decodeCache = (octets: Uint8Array<ArrayBuffer>): Promise<CacheContents | undefined> =>
  decode(octets, task);

async function encodeCache(contents: CacheContents): Promise<Uint8Array<ArrayBuffer>> {
  return concat(await encode(contents, task));
}

/** All that a cache tells, to be compared. */
function told(contents: CacheContents | undefined): unknown {
  if (contents === undefined) return undefined;
  const { messageIndex, stamps, origin } = contents;
  const names = Array.from({ length: messageIndex.length }, (_, row) => messageIndex.names.at(row));
  return { names, columns: messageIndex.columns(), stamps, origin };
}

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
  const messageIndex = new MessageIndex(
    NameTable.of(names),
    new Uint8Array(names.length).fill(Folder.CUR),
  );
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

Deno.test("a cache is read as it was written", async () => {
  for (const names of [[], ["1.a"], ["1.a", "2.b:2,S", "3.é"]]) {
    for (const stamps of [STAMPS, undefined]) {
      const contents = { messageIndex: sample(names), stamps, origin: ORIGIN };
      assertEquals(told(await decodeCache(await encodeCache(contents))), told(contents));
    }
  }
});

Deno.test("a cache that was cut or changed anywhere is not believed", async () => {
  const whole = await encodeCache({ messageIndex: sample(), stamps: STAMPS, origin: ORIGIN });
  for (let length = 0; length < whole.length; length++) {
    assertEquals(await decodeCache(whole.slice(0, length)), undefined);
  }
  for (let at = 0; at < whole.length; at++) {
    for (const bit of [1, 0x80]) {
      const changed = whole.slice();
      changed[at]! ^= bit;
      assertEquals(await decodeCache(changed), undefined, `octet ${at}`);
    }
  }
});

Deno.test("no octets make the cache's reader fail", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (octets) => {
    assertEquals(await decodeCache(octets.slice()), undefined);
  }));
});

Deno.test("names that could lead out of the mailbox are not believed, whatever the checksum says", async () => {
  for (const name of ["../1", "a/b", "", ".", "..", ".x", "a\0b", "n".repeat(256)]) {
    assertEquals(
      await decodeCache(
        await encodeCache({ messageIndex: sample([name]), stamps: STAMPS, origin: ORIGIN }),
      ),
      undefined,
      name,
    );
  }
});

Deno.test("rows that cannot be true are not believed", async () => {
  const break_: ((messageIndex: MessageIndex) => void)[] = [
    (messageIndex) => messageIndex.size[0] = 8,
    (messageIndex) => messageIndex.size[0] = 21,
    (messageIndex) => messageIndex.size[0] = NaN,
    (messageIndex) => messageIndex.size[0] = 9.5,
    (messageIndex) => messageIndex.storedSize[0] = -1,
    (messageIndex) => messageIndex.storedSize[0] = Infinity,
    (messageIndex) => messageIndex.firstRetrieved[0] = NaN,
    (messageIndex) => messageIndex.folders[0] = 7,
    (messageIndex) => messageIndex.names.rename(0, "4.d"),
    (messageIndex) => messageIndex.names.rename(1, messageIndex.names.at(0)),
  ];
  for (const change of break_) {
    const messageIndex = sample();
    assert(
      await decodeCache(await encodeCache({ messageIndex, stamps: undefined, origin: ORIGIN })) !==
        undefined,
    );
    change(messageIndex);
    assertEquals(
      await decodeCache(await encodeCache({ messageIndex, stamps: undefined, origin: ORIGIN })),
      undefined,
      String(change),
    );
  }
});

Deno.test("an empty message that an older version measured as none has one empty line", async () => {
  const messageIndex = sample(["1.a"]);
  messageIndex.size[0] = messageIndex.storedSize[0] = 0;
  const read =
    (await decodeCache(await encodeCache({ messageIndex, stamps: undefined, origin: ORIGIN })))!
      .messageIndex;
  assertEquals([read.size[0], read.storedSize[0], read.marks[0]], [2, 0, Mark.NAMED]);
});

/** Turns a cache into one of a version that knew no minor versions. */
function asFormer(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const former = octets.slice();
  new Uint32Array(former.buffer, 112, 1)[0] = 0;
  new Uint32Array(former.buffer, 4, 1)[0] = crc32(former.subarray(8));
  return former;
}

/** What is read of a cache of these rows. */
async function reread(messageIndex: MessageIndex, by: "today" | "former"): Promise<MessageIndex> {
  const octets = await encodeCache({ messageIndex, stamps: undefined, origin: ORIGIN });
  return (await decodeCache(by === "today" ? octets : asFormer(octets)))!.messageIndex;
}

const idParts = (index: MessageIndex): string[] =>
  Array.from({ length: index.length }, (_, row) => index.idPart(row));

Deno.test("messages keep the ids that an older version made of more of their names", async () => {
  const names = ["1.a,U=5:2,S", "1.b;2,S", "2.c,S=3:2,"];
  const former = ["1.a,U=5", "1.b;2,S", "2.c,S=3"];
  const first = await reread(sample(names), "former");
  assertEquals(idParts(first), former);
  assertEquals(idParts(await reread(first, "today")), former);
  // Of a cache of today it is the name that tells.
  assertEquals(idParts(await reread(sample(names), "today")), ["1.a", "1.b", "2.c,S=3"]);
});

Deno.test("rows that an older version ordered otherwise are put in order", async () => {
  // By all that stands before `:2,`, a comma comes before a hyphen.
  const names = ["1.a:2,", "1.a-b,S=3:2,"];
  for (const given of [names, names.toReversed()]) {
    const messageIndex = sample(given);
    messageIndex.firstRetrieved.set(given.map((name) => name.length));
    const read = await reread(messageIndex, "former");
    assertEquals(Array.from({ length: 2 }, (_, row) => read.names.at(row)), names);
    assertEquals([...read.firstRetrieved], names.map((name) => name.length));
  }
});

Deno.test("a cache gives no message the id of another", async () => {
  const messageIndex = sample(["1.a", "2.b"]);
  messageIndex.keepIdPart(0, "2.b");
  assertEquals(idParts(await reread(messageIndex, "today")), ["1.a", "2.b"]);
});
