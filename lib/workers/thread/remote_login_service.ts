/** The login service as a session worker has it: questions go to the main thread, events go in batches. */

import type { ServerEvent } from "../../contracts/event.ts";
import type { SessionSettings } from "../../contracts/settings.ts";
import type {
  Credentials,
  Lease,
  LoginOutcome,
  LoginService,
  ScramParameters,
  SessionIdentity,
} from "../../contracts/login_service.ts";
import type { TraceTarget } from "../../contracts/trace.ts";
import { LeaseHolder } from "../../locks/lease_holder.ts";
import type { MainCalls } from "./main_calls.ts";
import type { FromWorker, WorkerState } from "../messages.ts";
import type { EventPacker } from "../packed_events.ts";

/** How long events wait for others, or for a question that takes them along, in milliseconds. Who asks for figures has them sent before. */
const QUIET_BATCH_MS = 2;
const BUSY_BATCH_MS = 20;
/** Events a millisecond from which on a thread is busy: messages cost it more then than lateness costs anybody. */
const BUSY_EVENTS_A_MS = 5;

/** What the login service of a worker is made of. */
export interface RemoteLoginServiceOptions {
  readonly calls: MainCalls;
  /** What happened and was not told yet; questions take it along. */
  readonly events: EventPacker;
  readonly post: (message: FromWorker) => void;
  readonly state: WorkerState;
}

/** The login service by messages. */
export class RemoteLoginService implements LoginService {
  readonly #calls: MainCalls;
  readonly #post: (message: FromWorker) => void;
  readonly #leases = new Map<string, LeaseHolder>();
  readonly #events: EventPacker;
  #state: WorkerState;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Events since the timer was set. */
  #batched = 0;
  #busy = false;

  constructor({ calls, events, post, state }: RemoteLoginServiceOptions) {
    this.#calls = calls;
    this.#events = events;
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

  get traces(): readonly TraceTarget[] | undefined {
    return this.#state.traces;
  }

  /** Takes what has changed. */
  update(state: WorkerState): void {
    this.#state = state;
  }

  /** Tells a session that its lock is lost. */
  lost(session: string): void {
    this.#leases.get(session)?.lose();
  }

  async admit(identity: SessionIdentity): Promise<"banned" | undefined> {
    if (!this.#state.asks) return undefined;
    return await this.#calls.call("admit", [identity]);
  }

  scramParameters(user: string): Promise<ScramParameters | undefined> {
    return this.#calls.call("scramParameters", [user]);
  }

  async login(
    identity: SessionIdentity,
    credentials: Credentials,
    gone?: AbortSignal,
  ): Promise<LoginOutcome> {
    const outcome = await this.#calls.ask("login", [identity, credentials], gone);
    return outcome.kind === "granted"
      ? { ...outcome, lease: this.#lease(identity.session) }
      : outcome;
  }

  observe(event: ServerEvent): void {
    this.#events.add(event);
    this.#batched++;
    // Left to run when events are sent before: setting a new one each time would cost more.
    const wait = this.#busy ? BUSY_BATCH_MS : QUIET_BATCH_MS;
    this.#timer ??= setTimeout(() => this.#batchEnded(wait), wait);
  }

  #batchEnded(waited: number): void {
    this.#timer = undefined;
    this.#busy = this.#batched >= BUSY_EVENTS_A_MS * waited;
    this.#batched = 0;
    this.flush();
  }

  /** Sends the events that wait. */
  flush(): void {
    if (this.#events.empty) return;
    this.#post({ type: "events", events: this.#events.take(), release: undefined });
  }

  /** Sends nothing more by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.flush();
  }

  #lease(session: string): Lease {
    const lease = new LeaseHolder({
      release: async (ending) => {
        this.#leases.delete(session);
        if (this.#state.sharedLocks) await this.#calls.call("releaseLease", [session, ending]);
        else this.#post({ type: "events", events: this.#events.take(), release: session });
      },
      ...this.#state.sharedLocks && { claim: () => this.#calls.call("claimLease", [session]) },
    });
    this.#leases.set(session, lease);
    return lease;
  }
}
