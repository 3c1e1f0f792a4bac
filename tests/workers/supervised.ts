/** Session workers under a supervisor in this process: real threads and sockets, and a main thread that a test can look into. */

import { heldFoldersOf } from "../support/held_folders.ts";
import { parseServeArguments } from "../../lib/cli/serve_arguments.ts";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import type { LogLine } from "../../lib/log/logging.ts";
import { type Generation, newGeneration } from "../../lib/workers/generation.ts";
import { MailFolderLocks } from "../../lib/mail/mail_folder_lock.ts";
import { findPorts } from "../../lib/net/ports.ts";
import { Supervisor } from "../../lib/workers/supervisor.ts";
import { WorkerRefresher } from "../../lib/workers/worker_refresher.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import type { Settings } from "../../lib/contracts/settings.ts";
import type { LocalProcessGroups } from "../../lib/transform/local_process_groups.ts";
import type { Semaphore } from "../../lib/async/semaphore.ts";
import type { MemoryLocks } from "../../lib/locks/memory_locks.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { type ProgramOptions, serveArguments } from "../support/program.ts";
import { mainThread, NO_MAIL_WORKERS } from "./main_thread.ts";

/** How the workers are started. */
export interface SupervisedOptions extends ProgramOptions {
  /** The workers' program, a file beside this one. @default the real one */
  readonly script?: string;
}

/** The workers, and what the main thread keeps for them. Disposing ends them at once. */
export interface Supervised extends AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly port: number;
  readonly events: ServerEvent[];
  readonly log: LogLine[];
  readonly locks: MemoryLocks;
  readonly turns: Semaphore;
  readonly groups: LocalProcessGroups;
  readonly folders: MailFolderLocks;
  /** A generation for another mail folder. */
  generation(maildir: string): Promise<Generation>;
  connect(): Promise<Pop3Client>;
}

/** Makes all of it; the supervisor is not started. */
export async function supervised(options: SupervisedOptions): Promise<Supervised> {
  const settings = settingsOf(options);
  const main = await mainThread(settings);
  const { events, loginService, groups, locks, log, logging, turns } = main;
  const folders = new MailFolderLocks();
  const { listen } = findPorts(settings.listen, settings.port);
  const path = Deno.env.get("PATH") ?? "";
  const generation = (maildir: string): Promise<Generation> =>
    newGeneration({ settings: settingsOf({ ...options, maildir }), listen, path, folders });
  const refresher = new WorkerRefresher(
    () => ({ settings, scramForAll: true, bearer: false, asks: false, sharedLocks: false }),
    (state) => supervisor.update(state),
  );
  let prefixes = 0;
  const supervisor = new Supervisor({
    loginService,
    turns,
    groups,
    held: heldFoldersOf,
    mailWorkers: () => NO_MAIL_WORKERS,
    logging,
    path,
    workers: settings.workers,
    listen,
    maxConnections: settings.maxConnections,
    certificates: () => [],
    state: () => refresher.state(),
    running: () => ({ id: "0123456789abcdef", at: performance.now() + 1 }),
    newPrefix: () => Promise.resolve(`w${++prefixes}`),
    ...(options.script !== undefined && { script: new URL(options.script, import.meta.url) }),
  }, await generation(options.maildir));
  const { port } = listen[0]!;
  return {
    supervisor,
    port,
    events,
    log,
    locks,
    turns,
    groups,
    folders,
    generation,
    connect: () => Pop3Client.connect({ port }),
    [Symbol.asyncDispose]: async () => {
      await supervisor.shutdown(AbortSignal.abort());
      await groups.endAll();
    },
  };
}

/** The settings that the program has when it is started so. */
export function settingsOf(options: ProgramOptions): Settings {
  const asked = parseServeArguments(serveArguments(options).slice(1));
  if (asked.kind !== "serve") throw new Error(`These arguments serve nothing: ${asked.kind}`);
  const { settings } = resolveSettings({
    flags: asked.flags,
    environment: { get: () => undefined },
    machine: { hostName: "pop.example.org", cores: 2 },
  });
  return settings;
}
