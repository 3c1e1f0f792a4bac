/** Servers in this process without a socket or a thread: the program's own parts, put together over memory. */

import { openManagement } from "../../lib/admin/open_management.ts";
import { Traces } from "../../lib/admin/traces.ts";
import { systemClock } from "../../lib/async/clock.ts";
import { countOn } from "../../lib/async/running_time.ts";
import { Yielder } from "../../lib/async/yielder.ts";
import { openAccounts } from "../../lib/auth/accounts.ts";
import { LocalLoginService } from "../../lib/auth/local_login_service.ts";
import { LoginGuard } from "../../lib/auth/login_guard.ts";
import { parseServeArguments } from "../../lib/cli/serve_arguments.ts";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import type { StateStore } from "../../lib/contracts/state_store.ts";
import { MemoryLocks } from "../../lib/locks/memory_locks.ts";
import { MemoryMailStore } from "../../lib/mail/memory/memory_mail_store.ts";
import { storeFactory } from "../../lib/mail/open_mail_store.ts";
import { mailRoots } from "../../lib/mail/places/mail_roots.ts";
import { prepareNotes } from "../../lib/mail/places/served_mailboxes.ts";
import { MsmpHost } from "../../lib/msmp/server.ts";
import type { AuditEntry } from "../../lib/msmp/services.ts";
import type { SecureContexts } from "../../lib/net/secure_contexts.ts";
import { openObservatory } from "../../lib/observe/observatory.ts";
import { LiveSettingsRegistry } from "../../lib/settings/live_settings.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { NoTransformer } from "../../lib/transform/no_transformer.ts";
import { settingChecks } from "../../lib/workers/setting_checks.ts";
import { heldFoldersOf } from "./held_folders.ts";
import { type ProgramOptions, serveArguments } from "./program.ts";
import { TestClock } from "./test_clock.ts";
import { MemoryConnection, type MemoryConnectionOptions } from "../../lib/net/memory_connection.ts";
import { SessionHost, type SessionHostOptions } from "../../lib/workers/thread/session_host.ts";
import type { Connection } from "../../lib/contracts/connection.ts";
import type { SettingInputs } from "../../lib/settings/resolve.ts";
import { Pop3Client } from "./pop3_client.ts";
import type { Settings } from "../../lib/contracts/settings.ts";

/** A server whose clients are in the same process. Disposing waits for its sessions to end. */
export interface InProcessServer extends AsyncDisposable {
  /** Connects; the greeting is not read. */
  connect(name?: string, connection?: MemoryConnectionOptions): Promise<Pop3Client>;
}

/** Leads clients to a server over connections in memory; `end` closes it. */
function overMemory(
  host: { serve(connection: Connection): Promise<void> },
  end: () => Promise<void>,
): InProcessServer {
  const served = new Set<Promise<void>>();
  return {
    connect(name, options = {}): Promise<Pop3Client> {
      const { client, server } = MemoryConnection.pair(options);
      const serving = host.serve(server).finally(() => served.delete(serving));
      served.add(serving);
      return Promise.resolve(new Pop3Client(client, name === undefined ? {} : { name }));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await end();
      await Promise.all(served);
    },
  };
}

/** What settings are made from that are given as arguments of `postern serve`. */
function inputsOf(
  given: readonly string[],
  env: ProgramOptions["env"] = {},
): SettingInputs {
  const asked = parseServeArguments(given);
  if (asked.kind !== "serve") throw new Error(`These arguments serve nothing: ${asked.kind}`);
  return {
    flags: asked.flags,
    environment: { get: (name) => env[name] },
    machine: { hostName: "pop.example.org", cores: 2 },
  };
}

/** The settings that the program would have with these arguments. */
export function settingsOf(given: readonly string[], env: ProgramOptions["env"] = {}): Settings {
  return resolveSettings(inputsOf(given, env)).settings;
}

/** Serves POP3 sessions with the login service and the store of the test's; there is no transformer. */
export function startSessions(
  parts: Pick<SessionHostOptions, "loginService" | "store">,
): InProcessServer {
  let sessions = 0;
  const host = new SessionHost({
    ...parts,
    transformer: () => new NoTransformer(),
    newSession: () => String(++sessions),
  });
  return overMemory(host, () => host.shutdown(AbortSignal.abort()));
}

/** Puts a server together from the same arguments that the program would be started with. */
export async function startInProcess(options: ProgramOptions): Promise<InProcessServer> {
  const settings = settingsOf(serveArguments(options).slice(1), options.env);
  await prepareNotes(settings.maildir);
  const state = new MemoryState();
  const accounts = await openAccounts({ state, settings });
  const store = storeFactory({
    yielder: new Yielder(),
    running: countOn({ id: "0123456789abcdef", at: 1 }, systemClock),
    account: Deno.uid()!,
    held: heldFoldersOf,
    roots: mailRoots,
  });
  const loginService = new LocalLoginService({
    settings: () => settings,
    directory: accounts.users.directory,
    locks: new MemoryLocks(),
    guard: new LoginGuard(() => settings),
    bearer: false,
    observe: () => {},
  });
  return startSessions({ loginService, store });
}

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

/** A management server in this process. Disposing waits for its sessions to end. */
export interface TestManagement extends InProcessServer {
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
  /** Connects and logs in as root; with version 2, asks for that. */
  login(version: 1 | 2): Promise<Pop3Client>;
}

/** Starts one. */
export async function startManagement(
  options: ManagementTestOptions = {},
): Promise<TestManagement> {
  const { users = {}, administrators = { root: "secret" }, flags = [] } = options;
  const given = [
    ...["--maildir", options.maildir ?? "/", "--auth-delay", "0"],
    ...Object.entries(users).flatMap(([name, password]) => ["-u", `${name}:${password}`]),
    ...Object.entries(administrators).flatMap(([name, password]) => ["-a", `${name}:${password}`]),
    ...flags,
  ];
  const clock = new TestClock(NOON);
  const state = options.state ?? new MemoryState();
  const registry = new LiveSettingsRegistry({
    inputs: { ...inputsOf(given), kept: await state.settings.all() },
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
  const server = overMemory(host, () => host.close());
  return {
    host,
    state,
    locks,
    store,
    registry,
    audit,
    asked: calls,
    observe: observatory.observe,
    connect: server.connect,
    async login(version): Promise<Pop3Client> {
      const client = await server.connect();
      await client.login("root", "secret");
      if (version === 2) await client.ok("MSMP 2");
      return client;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await server[Symbol.asyncDispose]();
      await observatory[Symbol.asyncDispose]();
    },
  };
}
