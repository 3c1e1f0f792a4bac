/** The server: starts its parts in order, brings changes to them, and ends them. */

import { systemClock } from "../async/clock.ts";
import { prometheusText } from "../observe/prometheus.ts";
import type { LiveSettingsRegistry, SettingChange } from "../settings/live_settings.ts";
import type { ReloadOutcome } from "../contracts/management.ts";
import { VERSION } from "../version.ts";
import { openManagementOf, reloadAll } from "./managed_parts.ts";
import { type HttpServer, startHttp } from "../http/http_server.ts";
import { HealthChecks } from "./health_checks.ts";
import { openLmtpPort } from "./lmtp_port.ts";
import { ExpirySweep } from "./expiry_sweep.ts";
import type { Fleet } from "./fleet/fleet.ts";
import { hearOthers } from "./fleet/hearing.ts";
import { LockPort, lockSocketPath } from "../locks/lock_port.ts";
import { logger } from "../log/logging.ts";
import { isDatabase } from "../state/postgres/state_url.ts";
import { newGeneration } from "../workers/generation.ts";
import { sweepTrash } from "./trash_sweep.ts";
import { assemble, type Parts, type ServerOptions } from "./parts.ts";
import { PasswdWatch } from "../auth/passwd/passwd_watch.ts";
import { StartError, startFailure } from "../net/start_error.ts";

const log = logger("server");

/** A port that is open. */
export interface OpenListener {
  readonly protocol: "pop3" | "pop3s" | "msmp" | "peep" | "http" | "lmtp";
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
    try {
      return await Server.#open(options);
    } catch (error) {
      throw startFailure(error);
    }
  }

  static async #open(options: ServerOptions): Promise<Server> {
    await using stack = new AsyncDisposableStack();
    const parts = await assemble(options, stack);
    parts.management = await openManagementOf(parts, stack);
    openLockPort(parts, stack);
    await parts.supervisor.start();
    parts.http = await openHttp(parts, stack);
    const { settings } = parts.registry;
    const { records } = parts.accounts;
    const { held, options: { logging } } = parts;
    parts.lmtp = await openLmtpPort({ settings, records, held, logging });
    const { file } = parts.accounts;
    if (file !== undefined) {
      stack.use(new PasswdWatch({ file, changed: () => parts.refresher.refresh() }));
    }
    const sweep = stack.use(openSweep(parts));
    const { fleet } = parts;
    if (fleet !== undefined) await takePart(parts, fleet, stack);
    parts.registry.onChange(async (changes) => {
      await apply(parts, changes);
      if (changes.some(({ name }) => name === "expire")) void sweep.sweep();
    });
    parts.management.host.start();
    parts.management.peep?.host.start();
    parts.stack = stack.move();
    return new Server(parts);
  }

  /** What is open. */
  get listeners(): readonly OpenListener[] {
    const { http, lmtp, management, ports } = this.#parts;
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
    const others: OpenListener[] = [];
    for (const { hostname, port } of management?.peep?.addresses ?? []) {
      others.push({ protocol: "peep", address: hostname, port });
    }
    if (http !== undefined) {
      others.push({ protocol: "http", address: http.hostname, port: http.port });
    }
    if (lmtp !== undefined) {
      others.push({ protocol: "lmtp", address: lmtp.address, port: lmtp.port });
    }
    return [...pop3, ...msmp, ...others];
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
    const { fleet, management, supervisor, registry, stack } = this.#parts;
    fleet?.drain();
    const patience = AbortSignal.timeout(registry.settings.grace * 1000);
    management?.host.stopListening();
    management?.peep?.host.stopListening();
    const { lmtp } = this.#parts;
    const delivered = lmtp?.handle.close(registry.settings.grace * 1000);
    await supervisor.shutdown(AbortSignal.any([patience, hurry]));
    await delivered;
    // Administrators may watch until the last session has ended.
    await management?.peep?.host.close();
    await management?.host.close();
    await stack?.disposeAsync();
  }
}

/** Lends locks to imports. Without it they wait until the server is stopped, which is no reason not to serve. */
function openLockPort({ locks, registry }: Parts, stack: AsyncDisposableStack): void {
  const { state } = registry.settings;
  if (state === ":memory:" || isDatabase(state)) return;
  try {
    stack.use(LockPort.open(state, locks));
  } catch (error) {
    log.warn(
      "Cannot open {path}; postern import works only while the server is stopped: {error}",
      { path: lockSocketPath(state), error },
    );
  }
}

/** The probes, the figures and the dashboard, where `--http` asks for them. */
async function openHttp(
  { fleet, registry, observatory, ports, running, supervisor }: Parts,
  stack: AsyncDisposableStack,
): Promise<HttpServer | undefined> {
  const { http: listen, serverName } = registry.settings;
  if (listen === undefined) return undefined;
  const { counters, history, hours, sessions } = observatory;
  const started = systemClock.monotonic();
  const checks = new HealthChecks({
    settings: () => registry.settings,
    pop3: ports.listen.find(({ tls }) => !tls),
    supervisor,
    running,
    database: fleet,
  });
  const watch = {
    serverName,
    version: VERSION,
    uptime: () => systemClock.monotonic() - started,
    trouble: () => supervisor.trouble,
    health: () => checks.health(),
    readiness: () => checks.readiness(),
    figures: () => counters.figures(),
    history: (name: string, minutes: number) => history.query(name, minutes),
    hours: (name: string, count: number) => hours.query(name, count),
    sessions: () => sessions,
    metrics: () => prometheusText(counters, [], fleet && { node: fleet.name }),
  };
  try {
    return stack.use(await startHttp(watch, { listen }));
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Cleans up for all servers when it is this one's turn, and hears what the others say. */
async function takePart(parts: Parts, fleet: Fleet, stack: AsyncDisposableStack): Promise<void> {
  const { bans, differs } = parts;
  stack.use(fleet.cleaner());
  await hearOthers({ parts, fleet, bans, differs, reload: () => reloadAll(parts) });
}

/** Expired mail of users who do not come goes by the day; the first sweep begins at once. */
function openSweep({ accounts, locks, registry, store, trash }: Parts): ExpirySweep {
  const sweep = new ExpirySweep({
    users: () => accounts.users.register.list(),
    record: (user) => accounts.records.of(user),
    trash: (user, record) => sweepTrash(trash, registry.settings, user, record),
    locks,
    store,
    days: () => registry.settings.expire,
  });
  void sweep.sweep();
  return sweep;
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
  if (names.has("logLevel")) {
    options.logging.setLevel(settings.logLevel);
    parts.lmtp?.handle.setLevel(settings.logLevel);
  }
  if (names.has("maxTransformers")) turns.limit = settings.maxTransformers;
  supervisor.setMaxConnections(settings.maxConnections);
  refresher.refresh();
}
