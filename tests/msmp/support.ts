/** A management server in this process, over memory: the program's own parts, with a clock and a state of the test's. */

import { Traces } from "../../lib/admin/traces.ts";
import { parseServeArguments } from "../../lib/cli/serve_arguments.ts";
import type { AuditEntry } from "../../lib/msmp/services.ts";
import { MemoryMailStore } from "../../lib/mail/memory/memory_mail_store.ts";
import { MemoryConnection, type MemoryConnectionOptions } from "../../lib/net/memory_connection.ts";
import type { SecureContexts } from "../../lib/net/secure_contexts.ts";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import { openObservatory } from "../../lib/observe/observatory.ts";
import { openAccounts } from "../../lib/auth/accounts.ts";
import { LoginGuard } from "../../lib/auth/login_guard.ts";
import { openManagement } from "../../lib/admin/open_management.ts";
import { MsmpHost } from "../../lib/msmp/server.ts";
import { settingChecks } from "../../lib/workers/setting_checks.ts";
import { LiveSettingsRegistry } from "../../lib/settings/live_settings.ts";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import type { StateStore } from "../../lib/contracts/state_store.ts";
import { MemoryLocks } from "../../lib/locks/memory_locks.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { TestClock } from "../support/test_clock.ts";

/** Noon of a day in January, as the page of the protocol has it. */
export const NOON = Date.UTC(2026, 0, 31, 12, 0, 0);

/** What the server is started with. */
export interface ManagementTestOptions {
  /** Passwords by user name. */
  readonly users?: Readonly<Record<string, string>>;
  /** Passwords by administrator. @default {{root: "secret"}} */
  readonly administrators?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly state?: StateStore;
  readonly maildir?: string;
  /** Whether there is a certificate; connections in memory do not look at it. */
  readonly tls?: boolean;
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A management server in this process. */
export interface TestManagement extends AsyncDisposable {
  readonly host: MsmpHost;
  readonly state: StateStore;
  readonly locks: MemoryLocks;
  readonly store: MemoryMailStore;
  readonly registry: LiveSettingsRegistry;
  /** Changes that were noted. */
  readonly audit: readonly AuditEntry[];
  /** `reload` and `shutdown`, as they were asked for. */
  readonly asked: readonly string[];
  readonly observe: (event: ServerEvent) => void;
  /** Connects; the greeting is not read. */
  connect(name?: string, connection?: MemoryConnectionOptions): Promise<Pop3Client>;
  /** Connects and logs in as root; with version 2, asks for that. */
  login(version: 1 | 2): Promise<Pop3Client>;
}

/** Starts one. */
export async function startManagement(
  options: ManagementTestOptions = {},
): Promise<TestManagement> {
  const { users = {}, administrators = { root: "secret" }, flags = [] } = options;
  const asked = parseServeArguments([
    ...["--maildir", options.maildir ?? "/", "--auth-delay", "0"],
    ...Object.entries(users).flatMap(([name, password]) => ["-u", `${name}:${password}`]),
    ...Object.entries(administrators).flatMap(([name, password]) => ["-a", `${name}:${password}`]),
    ...flags,
  ]);
  if (asked.kind !== "serve") throw new Error(`These arguments serve nothing: ${asked.kind}`);
  const clock = new TestClock(NOON);
  const state = options.state ?? new MemoryState();
  const registry = new LiveSettingsRegistry({
    inputs: {
      flags: asked.flags,
      kept: await state.settings.all(),
      environment: { get: () => undefined },
      machine: { hostName: "pop.example.org", cores: 2 },
    },
    keep: (key, text) => state.settings.set(key, text),
    checks: settingChecks(Deno.env.get("PATH") ?? ""),
  });
  const accounts = await openAccounts({ state, settings: registry.settings });
  const observatory = await openObservatory({ state, version: "0.0.0", clock });
  const locks = new MemoryLocks();
  const store = new MemoryMailStore();
  const audit: AuditEntry[] = [];
  const calls: string[] = [];
  const host = new MsmpHost({
    management: openManagement({
      registry,
      accounts,
      accesses: state.accesses,
      fields: state.fields,
      trash: () => ({
        list: () =>
          Promise.resolve([{
            at: NOON,
            uid: "1767258000.M100001P1.host",
            size: 1204,
            by: "2-1 192.0.2.7",
            subject: "Meeting",
          }]),
        restore: () => Promise.resolve(1),
        purge: () => Promise.resolve(0),
      }),
      locks,
      store: () => store,
      observatory,
      guards: {
        users: new LoginGuard(() => registry.settings, "users"),
        administrators: new LoginGuard(() => registry.settings, "administrators"),
      },
      closeSession: (session, reason) => {
        const known = observatory.sessions.get(session) !== undefined;
        observatory.observe({ type: "disconnected", session, at: NOON, reason });
        return known;
      },
      changed: () => {},
      caughtUp: () => Promise.resolve(),
      traces: new Traces({ canonical: (name) => name, changed: () => {} }),
      backups: {
        make: (name = "postern-20260131T120000-000Z.db") =>
          Promise.resolve({
            path: `/backups/${name}`,
            users: 2,
            administrators: 1,
            octets: 98_304,
          }),
      },
      life: {
        reload: () => {
          calls.push("reload");
          return Promise.resolve({ changes: ["timeout: 600 → 700"], warnings: [] });
        },
        shutdown: () => void calls.push("shutdown"),
      },
    }),
    settings: () => registry.settings,
    version: "0.0.0",
    audit: (entry) => void audit.push(entry),
    clock,
    ...(options.tls && { contexts: {} as SecureContexts }),
    ...(options.pause && { pause: options.pause }),
  });
  const served = new Set<Promise<void>>();
  const connect = (
    name?: string,
    connection: MemoryConnectionOptions = {},
  ): Promise<Pop3Client> => {
    const { client, server } = MemoryConnection.pair(connection);
    const serving = host.serve(server).finally(() => served.delete(serving));
    served.add(serving);
    return Promise.resolve(new Pop3Client(client, name === undefined ? {} : { name }));
  };
  return {
    host,
    state,
    locks,
    store,
    registry,
    audit,
    asked: calls,
    observe: observatory.observe,
    connect,
    async login(version): Promise<Pop3Client> {
      const client = await connect();
      await client.login("root", "secret");
      if (version === 2) await client.ok("MSMP 2");
      return client;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await host.close();
      await Promise.all(served);
      await observatory[Symbol.asyncDispose]();
    },
  };
}
