/** The server: chooses the implementations, puts them together, starts and ends them. */

import { prometheusText } from "../observe/prometheus.ts";
import { type Observatory, openObservatory } from "../observe/observatory.ts";
import { logger, type Logging } from "../observe/logging.ts";
import { LiveSettingsRegistry, type SettingChange } from "../settings/live_settings.ts";
import { InvalidValueError } from "../settings/errors.ts";
import { resolveSettings, type SettingInputs } from "../settings/resolve.ts";
import type { Settings } from "../settings/settings.ts";
import type { ReloadOutcome } from "../msmp/management.ts";
import { SqliteState } from "../state/sqlite_state.ts";
import { type StateStore, StateStoreError } from "../state/state_store.ts";
import { LocalProcessGroups } from "../transform/local_process_groups.ts";
import { Turnstile } from "../transform/turnstile.ts";
import type { MailStore } from "../mail/mail_store.ts";
import type { Locks } from "../users/locks.ts";
import { MemoryLocks } from "../users/memory_locks.ts";
import { VERSION } from "../version.ts";
import { type Accounts, openAccounts } from "./accounts.ts";
import { bearerVerifier } from "./bearer.ts";
import { CertificateKeeper } from "./certificate_keeper.ts";
import { LocalGate } from "./local_gate.ts";
import { openManagementOf, reloadAll } from "./managed_parts.ts";
import type { ManagementPort } from "./management_port.ts";
import { LoginGuard } from "./login_guard.ts";
import { type HttpServer, startHttp } from "./http.ts";
import { ExpirySweep } from "./expiry_sweep.ts";
import { newGeneration } from "./generation.ts";
import { MailFolderLocks } from "./mail_folder_lock.ts";
import { findPorts, type Ports } from "./ports.ts";
import { settingChecks } from "./setting_checks.ts";
import { StartError } from "./start_error.ts";
import { storeFactory } from "./stores.ts";
import { Supervisor } from "./supervisor.ts";
import { type StateFacts, WorkerRefresher } from "./worker_refresher.ts";

const log = logger("server");

/** What a server is started with. */
export interface ServerOptions {
  /** All but what is kept in the state. */
  readonly inputs: SettingInputs;
  readonly logging: Logging;
  /** The variable PATH, for transformers. */
  readonly path: string;
  /** Whether OpenTelemetry's instruments are made (`OTEL_DENO=true`). */
  readonly telemetry: boolean;
}

/** A port that is open. */
export interface OpenListener {
  readonly protocol: "pop3" | "pop3s" | "msmp" | "http";
  readonly address: string;
  readonly port: number;
}

/** A running server. */
export class Server {
  readonly #parts: Parts;
  #stopping: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Starts a server; it accepts when this has settled.
   *
   * @throws {StartError} when something it needs cannot be had
   * @throws {SettingError} when a setting is wrong
   */
  static async start(options: ServerOptions): Promise<Server> {
    await using stack = new AsyncDisposableStack();
    const parts = await assemble(options, stack);
    parts.management = await openManagementOf(parts, stack);
    await parts.supervisor.start();
    parts.http = await openHttp(parts, stack);
    const sweep = stack.use(openSweep(parts));
    parts.registry.onChange(async (changes) => {
      await apply(parts, changes);
      if (changes.some(({ name }) => name === "expire")) void sweep.sweep();
    });
    parts.management.host.start();
    parts.stack = stack.move();
    return new Server(parts);
  }

  /** What is open. */
  get listeners(): readonly OpenListener[] {
    const { http, management, ports } = this.#parts;
    const pop3 = ports.listen.map(({ hostname, port, tls }): OpenListener => ({
      protocol: tls ? "pop3s" : "pop3",
      address: hostname,
      port,
    }));
    const msmp = management?.addresses.map(({ hostname, port }): OpenListener => ({
      protocol: "msmp",
      address: hostname,
      port,
    })) ?? [];
    return http === undefined
      ? [...pop3, ...msmp]
      : [...pop3, ...msmp, { protocol: "http", address: http.hostname, port: http.port }];
  }

  /** What is in force. */
  get settings(): LiveSettingsRegistry {
    return this.#parts.registry;
  }

  /** Settles when an administrator asks for the end. */
  get asked(): Promise<void> {
    return this.#parts.asked.promise;
  }

  /**
   * Reads config file, passwd-file and certificates again.
   *
   * @throws {ManagementError} when one of them is wrong, which the log says, too; what is wrong stays as it was
   */
  reload(): Promise<ReloadOutcome> {
    return reloadAll(this.#parts);
  }

  /**
   * Ends the server: accepts no more, lets sessions end for as long as `--grace` says, ends those that are left, and lets go of everything.
   *
   * @param hurry ends the patience at once when it is aborted
   */
  shutdown(hurry: AbortSignal): Promise<void> {
    this.#stopping ??= this.#shutdown(hurry);
    return this.#stopping;
  }

  async #shutdown(hurry: AbortSignal): Promise<void> {
    const { management, supervisor, registry, stack } = this.#parts;
    const patience = AbortSignal.timeout(registry.settings.grace * 1000);
    management?.host.stopListening();
    await supervisor.shutdown(AbortSignal.any([patience, hurry]));
    // Administrators may watch until the last session has ended.
    await management?.host.close();
    await stack?.disposeAsync();
  }
}

/** All that a server is made of. */
interface Parts {
  readonly options: ServerOptions;
  readonly registry: LiveSettingsRegistry;
  readonly state: StateStore;
  readonly accounts: Accounts;
  readonly certificates: CertificateKeeper | undefined;
  readonly observatory: Observatory;
  readonly guard: LoginGuard;
  readonly turns: Turnstile;
  readonly groups: LocalProcessGroups;
  readonly ports: Ports;
  readonly folders: MailFolderLocks;
  readonly supervisor: Supervisor;
  readonly refresher: WorkerRefresher;
  readonly locks: Locks;
  readonly store: () => MailStore;
  /** Settled by SHUTDOWN. */
  readonly asked: PromiseWithResolvers<void>;
  http?: HttpServer | undefined;
  management?: ManagementPort;
  /** Ends everything but the supervisor, in reverse order. */
  stack?: AsyncDisposableStack;
}

async function assemble(options: ServerOptions, stack: AsyncDisposableStack): Promise<Parts> {
  const { inputs, path, logging } = options;
  const state = stack.use(await openState(resolveSettings(inputs).settings));
  const registry = new LiveSettingsRegistry({
    inputs: { ...inputs, kept: await state.settings.all() },
    keep: (key, text) => state.settings.set(key, text),
    forget: (key) => state.settings.delete(key),
    checks: settingChecks(path),
  });
  // What was set while the server ran is known only now.
  logging.setLevel(registry.settings.logLevel);
  for (const warning of registry.warnings) log.warn(warning);
  await checkStart(registry);
  const settings = (): Settings => registry.settings;
  const bearer = bearerVerifier(settings());
  const accounts = await openAccounts({ state, settings: settings(), bearer });
  const certificates = await openCertificates(registry, stack);
  const observatory = stack.use(
    await openObservatory({ state, version: VERSION, telemetry: options.telemetry }),
  );
  const groups = new LocalProcessGroups();
  stack.defer(() => groups.endAll());
  const turns = new Turnstile(settings().maxTransformers);
  const storeOf = storeFactory();
  const store = (): MailStore => storeOf(settings());
  const locks = new MemoryLocks();
  const guard = new LoginGuard(settings);
  const gate = new LocalGate({
    settings,
    directory: accounts.users.directory,
    locks,
    guard,
    bearer: bearer !== undefined,
    attempted: () => refresher.refresh(),
    observe: observatory.observe,
  });
  const ports = findServerPorts(settings(), certificates !== undefined);
  const folders = new MailFolderLocks();
  const generation = stack.use(
    await newGeneration({ settings: settings(), listen: ports.listen, path, folders }),
  );
  const refresher = new WorkerRefresher(
    () => stateFacts(settings(), gate, guard),
    (state) => supervisor.update(state),
  );
  const supervisor = new Supervisor({
    gate,
    turns,
    groups,
    logging,
    path,
    workers: settings().workers,
    listen: ports.listen,
    maxConnections: settings().maxConnections,
    certificates: () => certificates?.materials ?? [],
    state: () => refresher.state(),
    newPrefix: async () => (await state.installation.reserveSessions(1)).toString(36),
  }, generation);
  certificates?.watch(() => supervisor.renewCertificates());
  return {
    options,
    registry,
    state,
    accounts,
    certificates,
    observatory,
    guard,
    turns,
    groups,
    ports,
    folders,
    supervisor,
    refresher,
    locks,
    store,
    asked: Promise.withResolvers(),
  };
}

/** What workers must know is made from this. */
function stateFacts(settings: Settings, gate: LocalGate, guard: LoginGuard): StateFacts {
  return {
    settings,
    scramForAll: gate.scramForAll,
    bearer: gate.bearer,
    asks: settings.maxConnectionsPerIp > 0 || guard.bans().length > 0,
  };
}

async function openCertificates(
  registry: LiveSettingsRegistry,
  stack: AsyncDisposableStack,
): Promise<CertificateKeeper | undefined> {
  const certificates = await CertificateKeeper.open(registry.settings);
  if (certificates !== undefined) return stack.use(certificates);
  const { source } = registry.entries().find(({ key }) => key === "tls_port") ?? {};
  if (source !== "default") {
    log.warn(
      "A port for TLS is asked for without a certificate: it stays closed; give --tls-cert and --tls-key",
    );
  }
  return undefined;
}

/** The probes, the figures and the dashboard, where `--http` asks for them. */
async function openHttp(
  { registry, observatory, supervisor }: Parts,
  stack: AsyncDisposableStack,
): Promise<HttpServer | undefined> {
  const { http: listen, serverName } = registry.settings;
  if (listen === undefined) return undefined;
  const { counters, history, sessions } = observatory;
  const watch = {
    serverName,
    version: VERSION,
    started: Date.now(),
    trouble: () => supervisor.trouble,
    figures: () => counters.figures(),
    history: (name: string, minutes: number) => history.query(name, minutes),
    sessions: () => sessions,
    metrics: () => prometheusText(counters),
  };
  try {
    return stack.use(await startHttp(watch, { listen }));
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Expired mail of users who do not come goes by the day; the first sweep begins at once. */
function openSweep({ accounts, locks, registry, store }: Parts): ExpirySweep {
  const sweep = new ExpirySweep({
    users: () => accounts.users.register.list(),
    locks,
    store,
    days: () => registry.settings.expire,
  });
  void sweep.sweep();
  return sweep;
}

/** POP3's ports, and POP3S's where there is a certificate. */
function findServerPorts(settings: Settings, secure: boolean): Ports {
  const pop3 = findPorts(settings.listen, settings.port);
  if (pop3.withoutIpv6) log.warn("This machine has no IPv6: serving IPv4 alone");
  if (!secure) return pop3;
  const pop3s = findPorts(settings.listen, settings.tlsPort);
  const listen = pop3s.listen.map((where) => ({ ...where, tls: true }));
  return { ...pop3, listen: [...pop3.listen, ...listen] };
}

async function openState(settings: Settings): Promise<StateStore> {
  try {
    return await SqliteState.open({
      path: settings.state,
      onTrouble: (error) =>
        log.error("The state cannot be written, trying again: {error}", { error }),
    });
  } catch (error) {
    if (error instanceof StateStoreError) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

/** A value that was right when it was written may not be now: the folder may be gone. */
async function checkStart(registry: LiveSettingsRegistry): Promise<void> {
  try {
    await registry.check();
  } catch (error) {
    if (error instanceof InvalidValueError) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

/** Brings what has changed to those whom it concerns. */
async function apply(parts: Parts, changes: readonly SettingChange[]): Promise<void> {
  const { folders, options, ports, refresher, registry, supervisor, turns } = parts;
  const { path } = options;
  const { settings } = registry;
  const names = new Set(changes.map(({ name }) => name));
  // First what can fail: when it does, nothing has changed.
  if (names.has("maildir") || names.has("transformer")) {
    await supervisor.renew(
      await newGeneration({ settings, listen: ports.listen, path, folders }),
    );
  }
  if (names.has("logLevel")) options.logging.setLevel(settings.logLevel);
  if (names.has("maxTransformers")) turns.limit = settings.maxTransformers;
  supervisor.setMaxConnections(settings.maxConnections);
  refresher.refresh();
}
