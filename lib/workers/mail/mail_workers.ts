/** Starts threads that serve slow mailboxes for one thread, and ends them. */

import type { RunningMoment } from "../../async/running_time.ts";
import { logger } from "../../log/logging.ts";
import { mailPermissions } from "../worker_permissions.ts";
import type { FromMailWorker, MailWorkerSetup } from "./mail_worker.ts";

const log = logger("workers");

/** What the threads are made with. */
export interface MailWorkersOptions {
  /** The folders of mailboxes: absolute paths without links. */
  readonly folders: () => readonly string[];
  /** Whether a device is a file system of another machine, or of a program. */
  readonly isRemote: (device: number) => Promise<boolean>;
  /** The server's running time at this moment. */
  readonly running: () => RunningMoment;
}

/** The threads of one thread. Disposing ends them where they stand. */
export class MailWorkers implements Disposable {
  readonly #options: MailWorkersOptions;
  readonly #workers = new Set<Worker>();

  constructor(options: MailWorkersOptions) {
    this.#options = options;
  }

  /** How many there are, those included that hang. */
  get size(): number {
    return this.#workers.size;
  }

  /** Whether a device is a file system of another machine, or of a program. */
  isRemote(device: number): Promise<boolean> {
    return this.#options.isRemote(device);
  }

  /** Starts one. Returns the port for whom it serves. */
  start(): MessagePort {
    const { folders, running } = this.#options;
    const permissions = mailPermissions(folders());
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(new URL("./mail_worker.ts", import.meta.url).href, {
      type: "module",
      name: "mail",
      deno: { permissions },
    });
    worker.onmessage = ({ data }: MessageEvent<FromMailWorker>) => {
      this.#ended(worker, data.type === "died" ? data.message : undefined);
    };
    worker.onerror = (event) => {
      // Else the main thread would end with it.
      event.preventDefault();
      this.#ended(worker, event.message);
    };
    const setup: MailWorkerSetup = {
      port: port1,
      account: Deno.uid() ?? NaN,
      running: running(),
    };
    worker.postMessage(setup, [port1]);
    this.#workers.add(worker);
    return port2;
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers.clear();
  }

  #ended(worker: Worker, reason: string | undefined): void {
    if (!this.#workers.delete(worker)) return;
    worker.terminate();
    if (reason !== undefined) {
      log.error("A thread for slow mailboxes died: {reason}", { reason });
    }
  }
}
