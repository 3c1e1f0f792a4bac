/** What the main thread keeps for session workers, without workers: users, locks, guard, turns, and a log that a test can read. */

import { NO_HELD_FOLDERS } from "../support/held_folders.ts";
import { jsonLine, textLine } from "../../lib/log/log_format.ts";
import type { LogLine } from "../../lib/log/logging.ts";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import { openAccounts } from "../../lib/auth/accounts.ts";
import { LocalLoginService } from "../../lib/auth/local_login_service.ts";
import { LoginGuard } from "../../lib/auth/login_guard.ts";
import { sessionSettings } from "../../lib/workers/session_settings.ts";
import { MailWorkers } from "../../lib/workers/mail/mail_workers.ts";
import type { WorkerHandleOptions } from "../../lib/workers/worker_handle.ts";
import type { Settings } from "../../lib/contracts/settings.ts";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { LocalProcessGroups } from "../../lib/transform/local_process_groups.ts";
import { Semaphore } from "../../lib/async/semaphore.ts";
import { addressMemory } from "../../lib/net/address_connections.ts";
import { slotMemory } from "../../lib/net/slot_counters.ts";
import { MemoryLocks } from "../../lib/locks/memory_locks.ts";

/** Starts no thread for slow mailboxes that a test would need. */
export const NO_MAIL_WORKERS = new MailWorkers({
  isRemote: () => Promise.resolve(false),
  folders: () => [],
  running: () => ({ id: "0123456789abcdef", at: 1 }),
});

type Started = Parameters<NonNullable<WorkerHandleOptions["startProgram"]>>[0];

/** The main thread's parts, and what came of them. */
export interface MainThread extends AsyncDisposable {
  readonly loginService: LocalLoginService;
  readonly guard: LoginGuard;
  readonly locks: MemoryLocks;
  readonly turns: Semaphore;
  readonly groups: LocalProcessGroups;
  readonly logging: WorkerHandleOptions["logging"];
  readonly events: ServerEvent[];
  readonly log: LogLine[];
  /** The programs that were ordered; none runs. */
  readonly started: Started[];
  /** The log's lines in both formats. */
  readonly written: { readonly text: string; readonly json: string }[];
  /** What a link to a worker is made with that may do nothing at all. */
  linkOptions(prefix: string): Omit<WorkerHandleOptions, "ended">;
}

/** Makes the parts under these settings. */
export async function mainThread(settings: Settings): Promise<MainThread> {
  const accounts = await openAccounts({ state: new MemoryState(), settings });
  const events: ServerEvent[] = [];
  const log: LogLine[] = [];
  const started: Started[] = [];
  const written: { text: string; json: string }[] = [];
  const locks = new MemoryLocks();
  const turns = new Semaphore(settings.maxTransformers);
  const groups = new LocalProcessGroups();
  const guard = new LoginGuard(() => settings);
  const loginService = new LocalLoginService({
    settings: () => settings,
    directory: accounts.users.directory,
    locks,
    guard,
    bearer: false,
    observe: (event) => void events.push(event),
  });
  const logging = {
    accept: (line: LogLine): void => {
      log.push(line);
      written.push({ text: textLine(line), json: jsonLine(line) });
    },
  };
  return {
    loginService,
    guard,
    locks,
    turns,
    groups,
    logging,
    events,
    log,
    written,
    started,
    linkOptions: (prefix) => ({
      loginService,
      turns,
      startProgram: (order) => {
        started.push(order);
        return () => {};
      },
      held: NO_HELD_FOLDERS,
      mailWorkers: NO_MAIL_WORKERS,
      folders: ["/var/mail"],
      path: "/bin",
      logging,
      maxConnections: () => settings.maxConnections,
      permissions: {
        net: false,
        read: false,
        write: false,
        run: false,
        env: false,
        ffi: false,
        sys: false,
        import: false,
      },
      setup: {
        state: {
          settings: sessionSettings(settings),
          scramForAll: true,
          bearer: false,
          asks: false,
          sharedLocks: false,
        },
        listen: [],
        sessionPrefix: prefix,
        thread: 0,
        slots: slotMemory(settings.maxConnections, 1),
        addresses: addressMemory(1),
        transforms: true,
        account: 0,
        roots: { maildir: { given: "/nowhere", real: "/nowhere" }, homes: [] },
        running: { id: "0123456789abcdef", at: 1 },
        certificates: [],
      },
    }),
    [Symbol.asyncDispose]: () => groups.endAll(),
  };
}
