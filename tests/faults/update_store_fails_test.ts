/** A mail store, or a lock, that fails where it must not: QUIT still ends the session, says so, and gives the lock back. */

import { assertEquals } from "@std/assert";
import { MemoryMailStore } from "../../lib/mail/memory/memory_mail_store.ts";
import type { Maildrop, MailStore, MessageInfo } from "../../lib/contracts/mail_store.ts";
import { LocksUnavailableError } from "../../lib/contracts/locks.ts";
import type { LoginService } from "../../lib/contracts/login_service.ts";
import { settingsOf, startSessions } from "../support/in_process.ts";

/** What fails. */
interface Failing {
  readonly remove?: boolean;
  readonly dispose?: boolean;
  readonly release?: boolean;
  readonly lock?: "lost" | "unknown";
  /** Given where it matters what was removed. */
  readonly removed?: MessageInfo[];
}

function failingStore(failing: Failing): MailStore {
  const store = new MemoryMailStore();
  store.deliver("alice", new TextEncoder().encode("one\r\n"));
  store.deliver("alice", new TextEncoder().encode("two\r\n"));
  return {
    create: (user) => store.create(user),
    removeAbandoned: () => store.removeAbandoned(),
    expire: (user) => store.expire(user),
    async acquire(user, signal): Promise<Maildrop> {
      const maildrop = await store.acquire(user, signal);
      return {
        messages: maildrop.messages,
        open: (message) => maildrop.open(message),
        lastRetrieved: () => maildrop.lastRetrieved(),
        retrieved: (message) => maildrop.retrieved(message),
        remove: (messages) => {
          failing.removed?.push(...messages);
          return failing.remove
            ? Promise.reject(new TypeError("a fault"))
            : maildrop.remove(messages);
        },
        [Symbol.asyncDispose]: () =>
          failing.dispose
            ? Promise.reject(new TypeError("a fault"))
            : maildrop[Symbol.asyncDispose](),
      };
    },
  };
}

/** Says QUIT with one marked message. Tells the answer, and how often the lock was given back. */
async function quit(failing: Failing): Promise<[answer: string, releases: number]> {
  let releases = 0;
  const loginService: LoginService = {
    settings: settingsOf(["--maildir", "/"]),
    scramForAll: false,
    bearer: false,
    admit: () => Promise.resolve(undefined),
    scramParameters: () => Promise.reject(new TypeError("not asked for")),
    login: () =>
      Promise.resolve({
        kind: "granted",
        user: "alice",
        lease: {
          onLost: () => {},
          claim: () =>
            failing.lock === "unknown"
              ? Promise.reject(new LocksUnavailableError("no answer"))
              : Promise.resolve(failing.lock === undefined ? 8000 : 0),
          release: () => {
            releases++;
            return failing.release ? Promise.reject(new TypeError("a fault")) : Promise.resolve();
          },
          [Symbol.asyncDispose]: () => Promise.reject(new TypeError("not asked for")),
        },
      }),
    observe: () => {},
  };
  const store = failingStore(failing);
  await using server = startSessions({ loginService, store: () => store });
  using client = await server.connect();
  await client.login("alice", "secret");
  await client.ok("DELE 2");
  const answer = await client.command("QUIT");
  await client.ended();
  await server[Symbol.asyncDispose]();
  return [answer, releases];
}

Deno.test("a mail store that fails at QUIT ends the session with an error and frees the lock", async () => {
  assertEquals(await quit({ remove: true }), [
    "-ERR [SYS/TEMP] some deleted messages not removed (1 of 1)",
    1,
  ]);
});

Deno.test("a maildrop that cannot be closed, or a lock that cannot be given back, ends the session all the same", async () => {
  assertEquals(await quit({ dispose: true }), ["+OK 1 messages left", 1]);
  assertEquals(await quit({ release: true }), ["+OK 1 messages left", 1]);
  assertEquals(await quit({ remove: true, dispose: true, release: true }), [
    "-ERR [SYS/TEMP] some deleted messages not removed (1 of 1)",
    1,
  ]);
});

Deno.test("nothing is removed at QUIT once the lock is lost, or nobody can tell whose it is", async () => {
  for (const lock of ["lost", "unknown"] as const) {
    const failing: Failing = { lock, removed: [] };
    assertEquals(await quit(failing), [
      "-ERR [SYS/TEMP] the lock was lost, 0 of 1 messages were removed",
      1,
    ]);
    assertEquals(failing.removed, []);
  }
});
