// What the guard hears of logins that were not checked: every attempt counts that was not right.

import { assert, assertEquals } from "@std/assert";
import { LocalLoginService } from "../../lib/auth/local_login_service.ts";
import { LoginGuard } from "../../lib/auth/login_guard.ts";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import type { Credentials, SessionIdentity } from "../../lib/contracts/login_service.ts";
import type { Settings } from "../../lib/contracts/settings.ts";
import {
  type UserDirectory,
  UserDirectoryError,
  type Verified,
} from "../../lib/contracts/user_directory.ts";
import { MemoryLocks } from "../../lib/locks/memory_locks.ts";
import { TestClock } from "../support/test_clock.ts";

const SETTINGS = {
  ...{ authDelay: 1, authDelayMax: 15, banFailures: 20, banWindow: 600, banTime: 900 },
  ...{ trustedNetworks: [], maxConnectionsPerIp: 0, maxSessionsPerUser: 1, loginDelay: 0 },
} as unknown as Settings;

function service(verify: (credentials: Credentials) => Promise<Verified | undefined>): {
  logIn: (
    user: string,
    password: string,
    gone?: AbortSignal,
  ) => ReturnType<LocalLoginService["login"]>;
  guard: LoginGuard;
  events: ServerEvent[];
} {
  const clock = new TestClock();
  const guard = new LoginGuard(() => SETTINGS, "users", clock);
  const directory = { scramForAll: true, verify } as unknown as UserDirectory;
  const events: ServerEvent[] = [];
  const logins = new LocalLoginService({
    settings: () => SETTINGS,
    directory,
    locks: new MemoryLocks(),
    guard,
    observe: (event) => events.push(event),
    bearer: false,
    clock,
  });
  let session = 0;
  const logIn = (
    user: string,
    password: string,
    gone?: AbortSignal,
  ): ReturnType<LocalLoginService["login"]> => {
    const identity: SessionIdentity = {
      session: `${++session}`,
      address: "192.0.2.1",
      tls: undefined,
    };
    return logins.login(identity, { kind: "password", mechanism: "USER", user, password }, gone);
  };
  return { logIn, guard, events };
}

Deno.test("logins that cannot be checked are slowed like wrong ones, and guesses among them banned", async () => {
  const { logIn, guard, events } = service(() =>
    Promise.reject(new UserDirectoryError("the disk is gone"))
  );
  const delays: unknown[] = [];
  for (let turn = 0; turn < 4; turn++) {
    const outcome = await logIn("tim", "right");
    delays.push(outcome.kind === "refused" && [outcome.reason, outcome.delay]);
  }
  assertEquals(delays, [
    ["unavailable", 1000],
    ["unavailable", 2000],
    ["unavailable", 4000],
    ["unavailable", 8000],
  ]);
  // Each of an office's users says one password, and again.
  for (let user = 0; user < 60; user++) await logIn(`user${user % 30}`, "right perhaps");
  assertEquals(guard.bans(), []);
  for (let turn = 0; turn < 20; turn++) await logIn("tim", `guess ${turn}`);
  assertEquals(guard.bans().map(({ target }) => target), ["192.0.2.1"]);
  const reasons = events.flatMap((event) => event.type === "login-refused" ? event.reason : []);
  assertEquals(new Set(reasons), new Set(["unavailable"]));
});

Deno.test("logins whose clients leave while they wait are not checked, and count", async () => {
  const open = Promise.withResolvers<void>();
  let checked = 0;
  const { logIn, guard } = service(async () => {
    checked++;
    await open.promise;
    return undefined;
  });
  const gone = new AbortController();
  const first = Array.from({ length: 20 }, (_, turn) => logIn("tim", `first ${turn % 10}`));
  const waiting = Array.from(
    { length: 30 },
    (_, turn) => logIn("tim", `guess ${turn}`, gone.signal),
  );
  gone.abort();
  const left = await Promise.all(waiting);
  assertEquals(checked, 20);
  assert(left.every((outcome) => outcome.kind === "refused"));
  assertEquals(guard.bans().map(({ target }) => target), ["192.0.2.1"]);
  open.resolve();
  await Promise.all(first);
});

Deno.test("logins of one address wait in bounded number", async () => {
  const open = Promise.withResolvers<void>();
  let checked = 0;
  const { logIn } = service(async () => {
    checked++;
    await open.promise;
    return undefined;
  });
  const logins = Array.from({ length: 600 }, (_, turn) => logIn("tim", `guess ${turn}`));
  const late = await logins.at(-1);
  assertEquals(late?.kind === "refused" && late.reason, "unavailable");
  assertEquals(checked, 20);
  open.resolve();
  await Promise.all(logins);
  assertEquals(checked, 520);
});
