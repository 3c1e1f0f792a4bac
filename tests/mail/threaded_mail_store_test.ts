// A store whose mailboxes another thread serves keeps the mail store's contract: here both ends are in one thread.

import { assertEquals, assertRejects } from "@std/assert";
import { Yielder } from "../../lib/async/yielder.ts";
import { MaildropUnavailableError, type MailStore } from "../../lib/contracts/mail_store.ts";
import { MailThreadHost } from "../../lib/mail/mail_thread/mail_thread_host.ts";
import { MailThreads } from "../../lib/mail/mail_thread/mail_threads.ts";
import type { RootedSettings } from "../../lib/mail/store_settings.ts";
import { testMailStore } from "../contracts/mail_store_contract.ts";
import { NO_HELD_FOLDERS } from "../support/held_folders.ts";
import { TestRunningTime } from "../support/test_clock.ts";
import { FIRST, TempMail } from "./temp_mail.ts";

const ROOT = { given: "/", real: "/" };
const SETTINGS: RootedSettings = {
  settings: {
    maildir: "/",
    mailbox: undefined,
    homes: [],
    ids: "keep",
    defaultDomain: undefined,
    maxMessages: 0,
    trash: 0,
    logDeletes: false,
    expire: 0,
    noFlagUpdates: false,
    timeout: 600,
  },
  roots: { maildir: ROOT, homes: [] },
};

/** Serves every user by one thread's end, which may not answer. */
class TestThreads implements Disposable {
  readonly threads: MailThreads;
  readonly #ports: MessagePort[] = [];
  started = 0;

  constructor(store: MailStore, { answers = true, look = 500 } = {}) {
    this.threads = new MailThreads({
      start: () => {
        this.started++;
        const { port1, port2 } = new MessageChannel();
        this.#ports.push(port1, port2);
        const end = (): void => {};
        if (answers) {
          new MailThreadHost({ port: port1, storeOf: () => store, yielder: new Yielder(), end });
        } else port1.postMessage({ type: "ready" });
        return Promise.resolve(port2);
      },
      held: () => NO_HELD_FOLDERS,
      yielder: new Yielder(),
      warn: () => {},
      look,
    });
  }

  store(user: string): Promise<MailStore> {
    return this.threads.storeOf(user, { device: undefined }, SETTINGS);
  }

  [Symbol.dispose](): void {
    for (const port of this.#ports) port.close();
  }
}

testMailStore("ThreadedMailStore", (options) => {
  const running = new TestRunningTime();
  const mail = new TempMail();
  const threads = new TestThreads(mail.store({ ...options, running }));
  const fileName = (index: number): string => `new/${FIRST + index}.M${index}P1.host`;
  return {
    store: {
      acquire: async (user, ...more) => await (await threads.store(user)).acquire(user, ...more),
      create: async (user, ...more) => await (await threads.store(user)).create(user, ...more),
      expire: async (user, ...more) => await (await threads.store(user)).expire(user, ...more),
      removeAbandoned: async (user) => await (await threads.store(user)).removeAbandoned(user),
    },
    deliver: (user, index, octets) => mail.maildir(user, { [fileName(index)]: octets }),
    withdraw: (user, index) => Deno.removeSync(mail.path(user, fileName(index))),
    advance: (milliseconds) => running.advance(milliseconds),
    [Symbol.dispose]: () => {
      threads[Symbol.dispose]();
      mail[Symbol.dispose]();
    },
  };
});

Deno.test("threads for slow mailboxes that do not answer are given up, and bounded", async () => {
  using mail = new TempMail();
  using threads = new TestThreads(mail.store({}), { answers: false, look: 2 });
  for (let user = 0; user < 8; user++) {
    const store = await threads.store(`u${user}`);
    await assertRejects(() => store.acquire(`u${user}`), MaildropUnavailableError, "hangs");
    await assertRejects(() => threads.store(`u${user}`), MaildropUnavailableError, "hangs");
  }
  await assertRejects(() => threads.store("u8"), MaildropUnavailableError, "all 8 threads");
  assertEquals(threads.started, 8);
});
