/** The gate as a session worker has it: questions go to the main thread, events go in batches. */

import type { ServerEvent } from "../observe/event.ts";
import type { SessionSettings } from "../settings/settings.ts";
import type {
  Credentials,
  Gate,
  Lease,
  LoginOutcome,
  ScramParameters,
  SessionIdentity,
} from "../users/gate.ts";
import type { MainCalls } from "./main_calls.ts";
import type { FromWorker, WorkerState } from "./messages.ts";

/** How long events wait for others, in milliseconds; the end of a session waits for none. */
const BATCH_MS = 5;

/** The gate by messages. */
export class RemoteGate implements Gate {
  readonly #calls: MainCalls;
  readonly #post: (message: FromWorker) => void;
  readonly #leases = new Map<string, AbortController>();
  #state: WorkerState;
  #events: ServerEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(calls: MainCalls, post: (message: FromWorker) => void, state: WorkerState) {
    this.#calls = calls;
    this.#post = post;
    this.#state = state;
  }

  get settings(): SessionSettings {
    return this.#state.settings;
  }

  get scramForAll(): boolean {
    return this.#state.scramForAll;
  }

  get bearer(): boolean {
    return this.#state.bearer;
  }

  /** Takes what has changed. */
  update(state: WorkerState): void {
    this.#state = state;
  }

  /** Tells a session that its lock is lost. */
  lost(session: string): void {
    this.#leases.get(session)?.abort();
  }

  async admit(identity: SessionIdentity): Promise<"banned" | "too-many" | undefined> {
    if (!this.#state.asks) return undefined;
    this.flush();
    return await this.#calls.call("admit", [identity]);
  }

  scramParameters(user: string): Promise<ScramParameters> {
    return this.#calls.call("scramParameters", [user]);
  }

  async login(identity: SessionIdentity, credentials: Credentials): Promise<LoginOutcome> {
    const outcome = await this.#calls.call("login", [identity, credentials]);
    return outcome.kind === "granted"
      ? { ...outcome, lease: this.#lease(identity.session) }
      : outcome;
  }

  observe(event: ServerEvent): void {
    const last = this.#events.at(-1);
    if (event.type === "sent" && last?.type === "sent" && last.session === event.session) {
      this.#events[this.#events.length - 1] = { ...event, octets: last.octets + event.octets };
    } else {
      this.#events.push(event);
    }
    // Whoever saw a session end finds it counted.
    if (event.type === "disconnected") this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Sends the events that wait. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#post({ type: "events", events });
  }

  #lease(session: string): Lease {
    const controller = new AbortController();
    this.#leases.set(session, controller);
    return {
      lost: controller.signal,
      [Symbol.asyncDispose]: () => {
        if (this.#leases.delete(session)) {
          this.flush();
          this.#post({ type: "release", session });
        }
        return Promise.resolve();
      },
    };
  }
}
