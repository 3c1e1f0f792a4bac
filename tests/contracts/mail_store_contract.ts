/** What every mail store must do, run on each implementation. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Maildrop,
  type MailStore,
  MessageGoneError,
  type RemovalOutcome,
  type StoredMessage,
} from "../../lib/contracts/mail_store.ts";

/** What removing tells when all went well. */
export const ALL_REMOVED: RemovalOutcome = { stayed: [], unsynced: [], reasons: [] };

/** A store and the hands to prepare it. */
export interface MailStoreHarness extends Disposable {
  readonly store: MailStore;
  /** Delivers a message after those before; `index` counts from 0. */
  deliver(user: string, index: number, octets: Uint8Array): void;
  /** Takes a message away, as another program would. */
  withdraw(user: string, index: number): void;
  /** Lets time pass for the store's clock. */
  advance(milliseconds: number): void;
}

const DAY = 24 * 60 * 60 * 1000;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Messages, the octets that RETR sends for them, and whether they can be sent as stored. */
export const AWKWARD: readonly [
  name: string,
  stored: Uint8Array,
  size: number,
  verbatim: boolean,
][] = [
  ["CRLF", encode("A: b\r\n\r\nc\r\n"), 11, true],
  ["LF", encode("A: b\n\nc\n"), 11, false],
  ["mixed", encode("A: b\r\n\nc\n"), 11, false],
  ["no final line end", encode("A: b\r\n\r\nc"), 11, false],
  ["empty", encode(""), 2, false],
  ["bare CR", encode("A: b\r\n\r\na\rb\r\n"), 13, true],
  ["final bare CR", encode("a\r"), 4, false],
  ["NUL", encode("A: b\r\n\r\n\0\0\r\n"), 12, true],
  ["8-bit", Uint8Array.of(0xff, 0xfe, 0x80, 0x0a), 5, false],
  ["first line dotted", encode(".a\r\n"), 4, false],
  ["dots alone", encode("a\r\n.\r\n..\r\n"), 10, false],
  ["one long line", new Uint8Array(3 * 1024 * 1024).fill(0x61), 3 * 1024 * 1024 + 2, false],
];

/** Reads a message by `readSync`, in awkward pieces. */
export function readAll(stored: StoredMessage, piece = 64 * 1024 - 1): Uint8Array {
  const parts: Uint8Array[] = [];
  const into = new Uint8Array(piece);
  for (let count; (count = stored.readSync(into)) !== null;) parts.push(into.slice(0, count));
  return concat(parts);
}

/** The same where another thread may read it. */
export async function readAllReady(stored: StoredMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const into = new Uint8Array(64 * 1024 - 1);
  while (true) {
    await stored.ready?.();
    const count = stored.readSync(into);
    if (count === null) return concat(parts);
    parts.push(into.slice(0, count));
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const uids = (maildrop: Maildrop): string[] => maildrop.messages.map((message) => message.uid);

/** Makes a store; `maxMessages` and `expireDays` are 0 unless given. */
export type MakeHarness = (
  options: { readonly maxMessages?: number; readonly expireDays?: number },
) => MailStoreHarness;

/** Declares the suite's tests. */
export function testMailStore(name: string, make: MakeHarness): void {
  Deno.test(`${name} gives a user without mail an empty maildrop`, async () => {
    using harness = make({});
    await using maildrop = await harness.store.acquire("nobody");
    assertEquals(maildrop.messages, []);
    assertEquals(await maildrop.remove([]), ALL_REMOVED);
  });

  Deno.test(`${name} removes nothing more once the lock is lost`, async () => {
    using harness = make({});
    for (let index = 0; index < 4; index++) harness.deliver("alice", index, encode("A: b\r\n"));
    {
      await using maildrop = await harness.store.acquire("alice");
      const { messages } = maildrop;
      const outcome = await maildrop.remove(messages, () => false);
      assertEquals(outcome.stayed, messages);
      assertEquals(outcome.isLockLost, true);
      let asked = 0;
      // A store may ask once for some messages that it removes within milliseconds: the third question then comes too late for any.
      const { stayed } = await maildrop.remove(messages, () => ++asked <= 2);
      const isRemoved = stayed.length === 0 && asked <= 3;
      assert(stayed.length === 2 || isRemoved, `${stayed.length} stayed, asked ${asked} times`);
    }
    await using left = await harness.store.acquire("alice");
    assertEquals(await left.remove(left.messages, () => true), ALL_REMOVED);
  });

  Deno.test(`${name} lets nothing expire without being sure of the lock`, async () => {
    using harness = make({ expireDays: 1 });
    harness.deliver("alice", 0, encode("A: b\r\n"));
    {
      await using maildrop = await harness.store.acquire("alice");
      maildrop.retrieved(maildrop.messages[0]!);
    }
    harness.advance(2 * DAY);
    const lost = [
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error("the database is away")),
    ];
    for (const fence of lost) {
      await using maildrop = await harness.store.acquire("alice", undefined, fence);
      assertEquals(maildrop.messages.length, 1);
    }
    assertEquals(await harness.store.expire("alice", lost[0]), 0);
    assertEquals(await harness.store.expire("alice", () => Promise.resolve(() => true)), 1);
  });

  Deno.test(`${name} tells the last message that was retrieved, in the next session`, async () => {
    using harness = make({});
    for (let index = 0; index < 4; index++) harness.deliver("alice", index, encode("a"));
    {
      await using maildrop = await harness.store.acquire("alice");
      assertEquals(maildrop.lastRetrieved(), 0);
      maildrop.retrieved(maildrop.messages[2]!);
      maildrop.retrieved(maildrop.messages[0]!);
    }
    {
      await using maildrop = await harness.store.acquire("alice");
      assertEquals(maildrop.lastRetrieved(), 3);
      await maildrop.remove([maildrop.messages[1]!]);
    }
    await using maildrop = await harness.store.acquire("alice");
    assertEquals(maildrop.lastRetrieved(), 2);
  });

  Deno.test(`${name} tells of every awkward message what is sent, and gives its octets`, async () => {
    using harness = make({});
    AWKWARD.forEach(([, octets], index) => harness.deliver("alice", index, octets));
    for (let session = 0; session < 2; session++) {
      await using maildrop = await harness.store.acquire("alice");
      assertEquals(
        maildrop.messages.map((message) => message.size),
        AWKWARD.map(([, , size]) => size),
      );
      for (const [index, [label, octets, size, verbatim]] of AWKWARD.entries()) {
        using stored = await maildrop.open(maildrop.messages[index]!);
        const { storedSize } = stored;
        assertEquals({ size: stored.size, storedSize, verbatim: stored.verbatim }, {
          size,
          storedSize: octets.length,
          verbatim,
        }, label);
        assert(equal(await readAllReady(stored), octets), label);
      }
    }
  });

  Deno.test(`${name} lets go of a message that is not read to its end`, async () => {
    using harness = make({});
    harness.deliver("alice", 0, new Uint8Array(1024 * 1024));
    await using maildrop = await harness.store.acquire("alice");
    (await maildrop.open(maildrop.messages[0]!))[Symbol.dispose]();
    using begun = await maildrop.open(maildrop.messages[0]!);
    begun.readSync(new Uint8Array(10));
  });

  Deno.test(`${name} gives ids that are fit, distinct and steady`, async () => {
    using harness = make({});
    for (let index = 0; index < 5; index++) harness.deliver("alice", index, encode(`${index}`));
    let before: string[];
    {
      await using maildrop = await harness.store.acquire("alice");
      before = uids(maildrop);
      for (const message of maildrop.messages) maildrop.retrieved(message);
    }
    assertEquals(new Set(before).size, 5);
    for (const uid of before) assert(/^[\x21-\x7e]{1,70}$/.test(uid), uid);
    await using again = await harness.store.acquire("alice");
    assertEquals(uids(again), before);
  });

  Deno.test(`${name} keeps the snapshot while mail comes and goes`, async () => {
    using harness = make({});
    for (let index = 0; index < 3; index++) harness.deliver("alice", index, encode(`${index}\r\n`));
    await using maildrop = await harness.store.acquire("alice");
    const before = uids(maildrop);
    harness.deliver("alice", 3, encode("new\r\n"));
    harness.withdraw("alice", 1);
    assertEquals(uids(maildrop), before);
    await assertRejects(() => maildrop.open(maildrop.messages[1]!), MessageGoneError);
    using stored = await maildrop.open(maildrop.messages[2]!);
    assertEquals(await readAllReady(stored), encode("2\r\n"));
    await using next = await harness.store.acquire("alice");
    assertEquals(next.messages.length, 3);
  });

  Deno.test(`${name} removes exactly what it is told, and counts what is gone as removed`, async () => {
    using harness = make({});
    for (let index = 0; index < 4; index++) harness.deliver("alice", index, encode(`${index}\r\n`));
    let left: string[];
    {
      await using maildrop = await harness.store.acquire("alice");
      const [first, second, third, fourth] = maildrop.messages;
      left = [first!.uid, fourth!.uid];
      harness.withdraw("alice", 1);
      maildrop.retrieved(third!);
      assertEquals(await maildrop.remove([second!, third!]), ALL_REMOVED);
      await assertRejects(() => maildrop.open(third!), MessageGoneError);
    }
    await using again = await harness.store.acquire("alice");
    assertEquals(uids(again), left);
  });

  Deno.test(`${name} removes nothing when a session ends without being told to`, async () => {
    using harness = make({});
    harness.deliver("alice", 0, encode("a\r\n"));
    for (let session = 0; session < 3; session++) {
      await using maildrop = await harness.store.acquire("alice");
      assertEquals(maildrop.messages.length, 1);
      maildrop.retrieved(maildrop.messages[0]!);
    }
  });

  Deno.test(`${name} serves the first max_messages`, async () => {
    using harness = make({ maxMessages: 2 });
    for (let index = 0; index < 4; index++) {
      harness.deliver("alice", index, encode("x".repeat(index)));
    }
    await using maildrop = await harness.store.acquire("alice");
    assertEquals(maildrop.messages.map((message) => message.size), [2, 3]);
  });

  Deno.test(`${name} expires by the first retrieval, at login and by sweep`, async () => {
    using harness = make({ expireDays: 7 });
    for (let index = 0; index < 3; index++) harness.deliver("alice", index, encode(`${index}\r\n`));
    {
      await using maildrop = await harness.store.acquire("alice");
      maildrop.retrieved(maildrop.messages[0]!);
    }
    harness.advance(3 * DAY);
    {
      await using maildrop = await harness.store.acquire("alice");
      maildrop.retrieved(maildrop.messages[0]!);
      maildrop.retrieved(maildrop.messages[1]!);
    }
    assertEquals(await harness.store.expire("alice"), 0);
    harness.advance(4 * DAY);
    {
      await using maildrop = await harness.store.acquire("alice");
      assertEquals(maildrop.messages.length, 2);
    }
    harness.advance(3 * DAY);
    assertEquals(await harness.store.expire("alice"), 1);
    assertEquals(await harness.store.expire("alice"), 0);
    assertEquals(await harness.store.expire("nobody"), 0);
    await using maildrop = await harness.store.acquire("alice");
    assertEquals(maildrop.messages.length, 1);
  });

  Deno.test(`${name} makes no mailbox for a name that can be no user's`, async () => {
    using harness = make({});
    for (
      const user of [
        "",
        "..",
        "../x",
        "a/b",
        ".a",
        "cur",
        "a\0",
        "a\n",
        "a@b@c",
        "a@cur",
        "é".repeat(33),
      ]
    ) {
      await assertRejects(() => harness.store.acquire(user), RangeError);
      await assertRejects(() => harness.store.create(user), RangeError);
    }
    await harness.store.create("alice");
    await harness.store.create("alice");
  });

  Deno.test(`${name} opens nothing for a session that is over`, async () => {
    using harness = make({});
    await assertRejects(
      () => harness.store.acquire("alice", AbortSignal.abort(new Error("over"))),
      Error,
      "over",
    );
  });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
