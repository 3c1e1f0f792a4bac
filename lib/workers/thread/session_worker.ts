/** A session worker: the program of a thread that serves POP3 and holds no more permissions than that takes. */

import { systemClock } from "../../async/clock.ts";
import { countOn } from "../../async/running_time.ts";
import { delay } from "../../async/delay.ts";
import { Yielder } from "../../async/yielder.ts";
import { SecureContexts } from "../../net/secure_contexts.ts";
import { AddressConnections } from "../../net/address_connections.ts";
import { SharedConnectionSlots } from "../../net/shared_connection_slots.ts";
import { forwardLogging, logger } from "../../log/logging.ts";
import type { Transformer } from "../../contracts/transformer.ts";
import { MainCalls } from "./main_calls.ts";
import type { FromWorker, ToWorker, WorkerSetup, WorkerState } from "../messages.ts";
import { EventPacker } from "../packed_events.ts";
import { RemoteLoginService } from "./remote_login_service.ts";
import { RemoteHeldFolders } from "./remote_held_folders.ts";
import { RemotePrograms } from "./remote_programs.ts";
import { SessionHost } from "./session_host.ts";
import { MailThreads } from "../../mail/mail_thread/mail_threads.ts";
import { storeFactory } from "../../mail/open_mail_store.ts";
import { makeTransformer } from "./transformers.ts";
import { forwardLines } from "../worker_log.ts";

const log = logger("mail");

/** The thread's own side of its port to the main thread. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

/** Everything that the setup brings into being. */
class SessionWorker {
  readonly #calls: MainCalls;
  readonly #loginService: RemoteLoginService;
  readonly #host: SessionHost;
  readonly #programs: RemotePrograms | undefined;
  readonly #transformer: Transformer;
  readonly #setLevel: (level: WorkerState["settings"]["logLevel"]) => void;
  readonly #ended = new AbortController();
  readonly #contexts: SecureContexts | undefined;

  constructor(setup: WorkerSetup) {
    const {
      state,
      listen,
      sessionPrefix,
      thread,
      slots,
      addresses,
      transforms,
      account,
      roots,
      running,
      certificates,
    } = setup;
    this.#contexts = certificates.length === 0 ? undefined : new SecureContexts(certificates);
    this.#setLevel = forwardLogging(state.settings.logLevel, forwardLines(post));
    const events = new EventPacker();
    const calls = new MainCalls(post, () => events.take());
    this.#calls = calls;
    this.#loginService = new RemoteLoginService({ calls, events, post, state });
    this.#programs = transforms ? new RemotePrograms(calls, post) : undefined;
    this.#transformer = makeTransformer(this.#programs, state.settings);
    const yielder = new Yielder();
    const folders = new RemoteHeldFolders(calls);
    const held = (): RemoteHeldFolders => folders;
    const threads = new MailThreads({
      start: () => calls.call("openMailThread", []),
      held,
      yielder,
      warn: (message, properties) => log.warn(message, properties ?? {}),
    });
    let last = 0;
    this.#host = new SessionHost({
      loginService: this.#loginService,
      slots: new SharedConnectionSlots({ memory: slots, thread }),
      addresses: new AddressConnections(addresses, thread),
      store: storeFactory({
        yielder,
        running: countOn(running, systemClock),
        account,
        held,
        threads,
        isRemote: (device) => calls.call("isRemote", [device]),
        roots: () => roots,
      }),
      yielder,
      transformer: () => this.#transformer,
      contexts: this.#contexts,
      newSession: () => `${sessionPrefix}-${(++last).toString(36)}`,
    });
    this.#listen(listen);
  }

  obey(message: ToWorker): void {
    switch (message.type) {
      case "setup":
        return;
      case "start":
        return this.#host.start();
      case "state":
        this.#setLevel(message.state.settings.logLevel);
        return this.#loginService.update(message.state);
      case "certificates":
        return this.#contexts?.replace(message.certificates);
      case "answer":
        return this.#calls.answered(message.call, message.value);
      case "failure":
        return this.#calls.failed(message.call, message.message);
      case "lost":
        return this.#loginService.lost(message.session);
      case "run-broken":
        return this.#programs?.broken(message.turn, message.failure);
      case "run-ended":
        return this.#programs?.ended(message.turn, message.failure);
      case "close":
        return void this.#host.close(message.session, message.reason);
      case "tell":
        // A write that has ended is counted in its own turn: the client can have read the octets before that has come.
        return void delay(0).then(() => this.#tell());
      case "drain":
        return void this.#drain(message.backlog);
      case "end":
        return this.#ended.abort();
    }
  }

  #listen(listen: WorkerSetup["listen"]): void {
    for (const where of listen) {
      try {
        this.#host.listen(where);
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        return post({ type: "failed", name, message, where });
      }
    }
    post({ type: "listening" });
  }

  #tell(): void {
    this.#loginService.flush();
    post({ type: "told" });
  }

  async #drain(backlog: "serve" | "refuse"): Promise<void> {
    const { signal } = this.#ended;
    if (backlog === "serve") await this.#host.shutdown(signal, () => post({ type: "retired" }));
    else await this.#host.shutdown(signal);
    // A program may outlive its session for a moment; how its run ended is told before the thread ends.
    await this.#transformer.settled();
    this.#loginService.stop();
    post({ type: "drained" });
  }
}

function post(message: FromWorker): void {
  scope.postMessage(message);
}

/** The main thread ends this one and says why in its log; Deno's own words would go to standard error past it. */
function die(event: Event, error: unknown): void {
  event.preventDefault();
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  post({ type: "died", message: message.slice(0, 4096), stack: stack?.slice(0, 16_384) });
}
globalThis.addEventListener("error", (event) => die(event, event.error));
globalThis.addEventListener("unhandledrejection", (event) => die(event, event.reason));

let worker: SessionWorker | undefined;
scope.onmessage = ({ data }) => {
  if (data.type === "setup") worker = new SessionWorker(data.setup);
  else worker?.obey(data);
};
