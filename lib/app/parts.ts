/** What a server is made of: chooses the implementations and puts them together, without serving yet. */

import { Yielder } from "../async/yielder.ts";
import { type Observatory, openObservatory } from "../observe/observatory.ts";
import type { FileOutput } from "../log/log_file.ts";
import { openAccessFile } from "./access_file.ts";
import { Traces } from "../admin/traces.ts";
import { logger, type Logging } from "../log/logging.ts";
import { startSettings } from "../settings/absolute_paths.ts";
import { LiveSettingsRegistry } from "../settings/live_settings.ts";
import { InvalidValueError } from "../settings/errors.ts";
import type { SettingInputs } from "../settings/resolve.ts";
import type { Settings } from "../contracts/settings.ts";
import type { BackupSource, StateStore } from "../contracts/state_store.ts";
import { LocalProcessGroups } from "../transform/local_process_groups.ts";
import { Semaphore } from "../async/semaphore.ts";
import type { MailStore } from "../contracts/mail_store.ts";
import type { Locks } from "../contracts/locks.ts";
import { MemoryLocks } from "../locks/memory_locks.ts";
import { VERSION } from "../version.ts";
import { type Accounts, openAccounts } from "../auth/accounts.ts";
import { bearerVerifier } from "../auth/bearer.ts";
import { CertificateKeeper } from "../net/certificate_keeper.ts";
import { LocalLoginService } from "../auth/local_login_service.ts";
import type { HeldFolders } from "../contracts/held_folders.ts";
import type { LmtpPort } from "./lmtp_port.ts";
import type { ManagementPort } from "./management_port.ts";
import { KeptBans } from "../auth/guard/kept_bans.ts";
import type { LoginGuard } from "../auth/login_guard.ts";
import type { HttpServer } from "../http/http_server.ts";
import { newGeneration } from "../workers/generation.ts";
import { AccessLogDays } from "./access_log_days.ts";
import { KeptRunningTime } from "./kept_running_time.ts";
import { MailFolderLocks } from "../mail/mail_folder_lock.ts";
import { findPorts, type Ports } from "../net/ports.ts";
import { settingChecks } from "../workers/setting_checks.ts";
import { StartError } from "../net/start_error.ts";
import type { Fleet } from "./fleet/fleet.ts";
import { installationId, joinFleet } from "./fleet/join_fleet.ts";
import { mailRoots, realFolders } from "../mail/places/mail_roots.ts";
import { openTrash } from "../mail/trash/open_trash.ts";
import type { MailboxTrash } from "../mail/trash/mailbox_trash.ts";
import { heldFolders } from "./held_folders.ts";
import { openGuards } from "./open_guards.ts";
import { openServerState } from "./open_server_state.ts";
import { kernelFiles } from "./kernel_files.ts";
import { remoteFileSystems } from "./remote_file_systems.ts";
import { MailThreads } from "../mail/mail_thread/mail_threads.ts";
import { MailWorkers } from "../workers/mail/mail_workers.ts";
import { storeFactory } from "../mail/open_mail_store.ts";
import { SessionNumbers } from "../workers/session_numbers.ts";
import { Supervisor } from "../workers/supervisor.ts";
import { WorkerRefresher } from "../workers/worker_refresher.ts";

const log = logger("server");

/** What a server is started with. */
export interface ServerOptions {
  /** All but what is kept in the state. */
  readonly inputs: SettingInputs;
  /** Whether a state file that is empty or damaged is set aside and a new state begun (`--new-state`). */
  readonly newState?: boolean;
  readonly logging: Logging;
  /** The variable PATH, for transformers. */
  readonly path: string;
  /** Whether OpenTelemetry's instruments are made (`OTEL_DENO=true`). */
  readonly telemetry: boolean;
}

/** All that a server is made of. */
export interface Parts {
  readonly options: ServerOptions;
  readonly registry: LiveSettingsRegistry;
  readonly state: StateStore;
  /** Makes backups of the state, where it is a file. */
  readonly backupSource: BackupSource | undefined;
  /** This server among others, where the state is in a database. */
  readonly fleet: Fleet | undefined;
  /** Settings of all servers that this one could not take, by key. */
  readonly differs: Map<string, string>;
  readonly bans: KeptBans;
  readonly accounts: Accounts;
  readonly certificates: CertificateKeeper | undefined;
  readonly observatory: Observatory;
  readonly traces: Traces;
  /** The file of `--access-log`. */
  readonly accessFile: FileOutput | undefined;
  readonly running: KeptRunningTime;
  /** Of users' logins, and of administrators'. */
  readonly guards: { readonly users: LoginGuard; readonly administrators: LoginGuard };
  readonly turns: Semaphore;
  readonly groups: LocalProcessGroups;
  readonly ports: Ports;
  readonly folders: MailFolderLocks;
  readonly supervisor: Supervisor;
  readonly refresher: WorkerRefresher;
  readonly locks: Locks;
  readonly store: () => MailStore;
  /** Deleted messages, by the settings in force. */
  readonly trash: () => MailboxTrash;
  /** Of the main thread. */
  readonly yielder: Yielder;
  /** Settled by SHUTDOWN. */
  readonly asked: PromiseWithResolvers<void>;
  /** Works in mailboxes that others than the server can write in. */
  readonly held: (root: string, homes: readonly string[]) => HeldFolders;
  http?: HttpServer | undefined;
  lmtp?: LmtpPort | undefined;
  management?: ManagementPort;
  /** Ends everything but the supervisor, in reverse order. */
  stack?: AsyncDisposableStack;
}

/**
 * Opens everything that a server needs and holds no port of.
 *
 * @param stack takes what must be closed
 * @throws {StartError} when something cannot be had
 * @throws {SettingError} when a setting is wrong
 */
export async function assemble(
  options: ServerOptions,
  stack: AsyncDisposableStack,
): Promise<Parts> {
  const { inputs, path, logging, newState = false } = options;
  const opened = await openServerState(startSettings(inputs), newState);
  const state: StateStore = stack.use(opened.state);
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
  const accounts = stack.use(
    await openAccounts({
      state,
      settings: settings(),
      bearer,
      path,
      maildir: () => settings().maildir,
    }),
  );
  const certificates = await openCertificates(registry, stack);
  const accessFile = openAccessFile(settings(), stack);
  const traces = new Traces({
    canonical: (name) => accounts.users.register.canonical(name),
    changed: () => refresher.refresh(),
  });
  const observatory = stack.use(
    await openObservatory({
      state,
      version: VERSION,
      telemetry: options.telemetry,
      observers: { traces: traces.observe },
      writeAccess: accessFile && ((line) => accessFile.write(line)),
    }),
  );
  const running = stack.use(await KeptRunningTime.open({ installation: state.installation }));
  stack.use(new AccessLogDays({ accesses: state.accesses, running }));
  const groups = new LocalProcessGroups();
  stack.defer(() => groups.endAll());
  const turns = new Semaphore(settings().maxTransformers);
  const yielder = new Yielder();
  const held = heldFolders(path);
  const isRemote = remoteFileSystems(kernelFiles(path));
  const mailWorkersOf = (folders: () => readonly string[]): MailWorkers =>
    new MailWorkers({ folders, isRemote, running: () => running.moment() });
  const mailWorkers = stack.use(mailWorkersOf(() => realFolders(mailRoots(settings()))));
  const threads = new MailThreads({
    start: async () => mailWorkers.start(),
    held,
    yielder,
    warn: (message, properties) => log.warn(message, properties ?? {}),
  });
  const account = Deno.uid() ?? NaN;
  const storeOf = storeFactory({
    yielder,
    running,
    account,
    held,
    threads,
    isRemote,
    roots: mailRoots,
  });
  const store = (): MailStore => storeOf(settings());
  const differs = new Map<string, string>();
  const fleet = opened.kind === "file"
    ? undefined
    : stack.use(await joinFleet(opened.state, settings(), observatory, differs));
  if (fleet !== undefined) logging.always({ node: fleet.name });
  const locks: Locks = fleet?.locks ?? new MemoryLocks();
  const bans = stack.use(new KeptBans({ store: state.attempts }));
  const guards = await openGuards(settings, bans, fleet, state.installation);
  const loginService = new LocalLoginService({
    settings,
    directory: accounts.logins,
    fields: state.fields,
    locks,
    guard: guards.users,
    loginTimes: state.attempts,
    bearer: bearer !== undefined,
    attempted: () => refresher.refresh(),
    observe: observatory.observe,
  });
  const ports = findServerPorts(settings(), certificates !== undefined);
  const folders = new MailFolderLocks(
    fleet && await installationId(state.installation),
    state.installation,
  );
  const generation = stack.use(
    await newGeneration({ settings: settings(), listen: ports.listen, path, folders }),
  );
  const numbers = await SessionNumbers.open(state.installation);
  const refresher = new WorkerRefresher(
    () => ({
      settings: settings(),
      scramForAll: loginService.scramForAll,
      bearer: loginService.bearer,
      asks: guards.users.active,
      sharedLocks: locks.isShared,
      traces: traces.targets,
    }),
    (state) => supervisor.update(state),
  );
  const supervisor = new Supervisor({
    loginService,
    turns,
    groups,
    held,
    mailWorkers: (folders) => mailWorkersOf(() => folders),
    logging,
    path,
    workers: settings().workers,
    listen: ports.listen,
    maxConnections: settings().maxConnections,
    certificates: () => certificates?.materials ?? [],
    state: () => refresher.state(),
    running: () => running.moment(),
    newPrefix: async () => (await numbers.take()).toString(36),
  }, generation);
  certificates?.watch(() => supervisor.renewCertificates());
  return {
    options,
    registry,
    state,
    backupSource: opened.kind === "file" ? opened.state : undefined,
    fleet,
    differs,
    bans,
    accounts,
    certificates,
    observatory,
    traces,
    accessFile,
    running,
    guards,
    turns,
    groups,
    ports,
    folders,
    supervisor,
    refresher,
    locks,
    store,
    trash: () => openTrash(settings(), { account, held }),
    yielder,
    held,
    asked: Promise.withResolvers(),
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
      "--tls-port is set but there is no certificate; POP3S is disabled. Set --tls-cert and --tls-key",
    );
  }
  return undefined;
}

/** POP3's ports, and POP3S's where there is a certificate. */
function findServerPorts(settings: Settings, secure: boolean): Ports {
  const pop3 = findPorts(settings.listen, settings.port);
  if (pop3.withoutIpv6) log.warn("IPv6 is not available; listening on IPv4 only");
  if (!secure) return pop3;
  const pop3s = findPorts(settings.listen, settings.tlsPort);
  const listen = pop3s.listen.map((where) => ({ ...where, tls: true }));
  return { ...pop3, listen: [...pop3.listen, ...listen] };
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
