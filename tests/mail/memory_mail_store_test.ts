// The memory store keeps the mail store's contract.

import { assertEquals } from "@std/assert";
import { MemoryMailStore } from "../../lib/mail/memory/memory_mail_store.ts";
import { testMailStore } from "../contracts/mail_store_contract.ts";
import { TestRunningTime } from "../support/test_clock.ts";

testMailStore("MemoryMailStore", (options) => {
  const running = new TestRunningTime();
  const store = new MemoryMailStore({ ...options, running });
  return {
    store,
    deliver: (user, index, octets) => void store.deliver(user, octets, `id.${index}`),
    withdraw: (user, index) => store.withdraw(user, `id.${index}`),
    advance: (milliseconds) => running.advance(milliseconds),
    [Symbol.dispose]: () => {},
  };
});

Deno.test("MemoryMailStore tells which messages were seen", async () => {
  const store = new MemoryMailStore();
  store.deliver("alice", new Uint8Array(3));
  const { uid } = store.deliver("alice", new Uint8Array(4));
  {
    await using maildrop = await store.acquire("alice");
    maildrop.retrieved(maildrop.messages[1]!);
  }
  assertEquals(store.seen("alice"), [uid]);
});
