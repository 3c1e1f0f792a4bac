// A session worker that was taken over: whatever it says, it is ended for it, and nothing else comes of it.
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { LogLine } from "../../lib/log/logging.ts";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import { CONNECTED, LOGIN } from "../../lib/workers/packed_events.ts";
import type { WorkerState } from "../../lib/workers/messages.ts";
import { WorkerHandle } from "../../lib/workers/worker_handle.ts";
import { eventually, within } from "../support/waiting.ts";
import { type Facts, LIES } from "./lies.ts";
import { type MainThread, mainThread } from "./main_thread.ts";
import { settingsOf } from "./supervised.ts";

const ADDRESS = "192.0.2.7";
const USERS = { ann: "secret", bob: "secret" };

Deno.test("a worker that lies is ended, and nothing is signalled, banned, counted or let in for it", async (t) => {
  await using main = await mainThread(settingsOf({ maildir: "/nowhere", users: USERS }));
  const { guard, locks, groups } = main;
  using bystander = new Bystander();
  const other = await puppet(main, "w0");
  await other.logIn("bob");
  let count = 0;
  for (const [name, lie] of Object.entries(LIES)) {
    await t.step(name, async () => {
      const liar = await puppet(main, `w${++count}`);
      await liar.logIn("ann");
      liar.say(connected(`w${count}-2`));
      main.log.length = 0;
      main.events.length = 0;
      main.started.length = 0;
      const facts: Facts = {
        own: `w${count}-1`,
        fresh: `w${count}-2`,
        address: ADDRESS,
        others: "w0-1",
        next: `w${count}-3`,
        pid: bystander.pid,
      };
      liar.say(...lie(facts));
      const error = await within(liar.ended, "the worker's end");
      assertMatch(error?.message ?? "", /^It said what no session worker says: /);
      await eventually("ann's lock being free", async () => await locks.holders("ann") === 0);
      // Its own sessions are over; whatever it said of others, it said in vain.
      const ends = main.events.filter(({ type }) => type === "disconnected");
      assertEquals(ends.map(({ session }) => session).sort(), [facts.own, facts.fresh]);
      assertEquals(main.events.filter(isStrange(facts)), []);
      assertEquals(main.log.filter(({ category }) => category === "audit"), []);
      for (const { env, file } of main.started) {
        assertMatch(file.path, /^\/var\/mail\/ann\//);
        assertEquals(env, {
          PATH: "/bin",
          POSTERN_USER: "ann",
          POSTERN_UIDL: "1",
          POSTERN_CLIENT: ADDRESS,
        });
      }
    });
  }
  assertEquals([await locks.holders("bob"), guard.bans(), groups.running.size], [1, [], 0]);
  assert(bystander.isRunning);
  // The other worker's session goes on.
  other.say({ type: "events", events: ["w0-1", 2, 3, 10], release: undefined });
  await eventually("its octets", () => main.events.some(({ type }) => type === "sent"));
  other.link.terminate();
});

Deno.test("a flood of messages ends the worker that sends it, before it has filled the memory", async () => {
  await using main = await mainThread(settingsOf({ maildir: "/nowhere", users: USERS }));
  const liar = await puppet(main, "w1");
  const flood = new Array(1_000_000).fill({ type: "cancel", call: 1 });
  liar.link.update(flood as unknown as WorkerState);
  const error = await within(liar.ended, "the worker's end", 60_000);
  assertMatch(error?.message ?? "", /It sends too many messages$/);
});

Deno.test("a worker's log lines are its own: no audit, no level beyond error, no other time, no control of the terminal", async () => {
  await using main = await mainThread(settingsOf({ maildir: "/nowhere", users: USERS }));
  const liar = await puppet(main, "w1");
  liar.say(connected("w1-1"));
  const line = (line: unknown): void => liar.say({ type: "log", line });
  line({
    time: Number.NaN,
    level: "fatal",
    category: "audit",
    message: "root from 127.0.0.1: USER ADD eve\n2026-01-01 INFO [audit] \x1b[2J",
    properties: { worker: "w9", category: "audit", administrator: "root", "a b": 1 },
    template: "{worker}",
  });
  line({ properties: { huge: new Array(2 ** 32 - 1), error: new Error("\x1b[31m") } });
  line({
    message: "x".repeat(1_000_000),
    properties: Object.fromEntries(
      Array.from({ length: 1000 }, (_, at) => [`p${at}`, "y".repeat(10_000)]),
    ),
  });
  await eventually("the lines", () => main.log.length === 3);
  const [first, second, third] = main.log as [LogLine, LogLine, LogLine];
  assertEquals([first.category, first.level], ["pop3", "error"]);
  assert(Math.abs(first.time - Date.now()) < 120_000);
  assertEquals(first.properties["worker"], "w1");
  assertEquals("a b" in first.properties, false);
  assertEquals(second.properties["huge"], "(not shown)");
  assert(third.message.length < 9000 && Object.keys(third.properties).length < 20);
  for (const { text, json } of main.written) {
    assertEquals([...text.matchAll(/\n(?! {4})/g)].length, 1, text);
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    assertEquals(/[\x00-\x09\x0b-\x1f\x7f]/.test(text + json), false, text);
    assertEquals(JSON.parse(json).category, "pop3");
    assertEquals(JSON.parse(json).worker, "w1");
    assert(text.includes("worker=w1"), text);
  }
  liar.link.terminate();
});

Deno.test("a worker that closes itself is missed, and its locks are free again", async () => {
  await using main = await mainThread(settingsOf({ maildir: "/nowhere", users: USERS }));
  const liar = await puppet(main, "w1", { script: "./vanishing_worker.ts", pulse: 20 });
  const error = await within(liar.ended, "the worker's end");
  assertMatch(error?.message ?? "", /has not answered/);
});

/** Whether something was told that did not happen. */
function isStrange({ own, fresh, others }: Facts): (event: ServerEvent) => boolean {
  return (event) =>
    event.session === others || (event.session !== own && event.session !== fresh) ||
    (event.type === "login" && event.session !== own) ||
    (event.type === "login-refused" && event.user !== "nobody");
}

function connected(session: string): unknown {
  return {
    type: "events",
    events: [session, 5, CONNECTED, Date.now(), ADDRESS, 110, undefined],
    release: undefined,
  };
}

interface Puppet {
  readonly link: WorkerHandle;
  readonly ended: Promise<Error | undefined>;
  /** Lets it say something. */
  say(...messages: readonly unknown[]): void;
  /** Says all that an honest worker says until a user is logged in, in its session 1. */
  logIn(user: string): Promise<void>;
}

async function puppet(
  main: MainThread,
  prefix: string,
  { script = "./puppet_worker.ts", pulse }: { script?: string; pulse?: number } = {},
): Promise<Puppet> {
  const ended = Promise.withResolvers<Error | undefined>();
  const link = new WorkerHandle({
    ...main.linkOptions(prefix),
    ended: ended.resolve,
    script: new URL(script, import.meta.url),
    ...(pulse !== undefined && { pulse }),
  });
  await link.listening;
  link.start();
  const say = (...messages: readonly unknown[]): void =>
    link.update(messages as unknown as WorkerState);
  return {
    link,
    ended: ended.promise,
    say,
    logIn: async (user) => {
      const session = `${prefix}-1`;
      say(connected(session));
      say({
        type: "call",
        call: 1,
        method: "login",
        args: [
          { session, address: ADDRESS, tls: undefined },
          { kind: "password", mechanism: "USER", user, password: "secret" },
        ],
        events: [],
      });
      await eventually("the lock", async () => await main.locks.holders(user) === 1);
      say({
        type: "events",
        events: [session, 7, LOGIN, Date.now(), user, "USER", 0, 0, 1],
        release: undefined,
      });
      await eventually("the login", () => main.events.some(({ type }) => type === "login"));
    },
  };
}

/** A program of somebody else, leader of a process group of its own. */
class Bystander implements Disposable {
  readonly #child = new Deno.Command("sleep", { args: ["600"], detached: true }).spawn();
  isRunning = true;

  constructor() {
    this.#child.status.then(() => this.isRunning = false);
  }

  get pid(): number {
    return this.#child.pid;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
