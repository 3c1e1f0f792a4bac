/** What the main thread knows of the sessions of one worker, and holds against what the worker says of them. */

import type { Clock } from "../async/clock.ts";
import type { Observer, ServerEvent } from "../contracts/event.ts";
import type { Credentials, LoginOutcome, SessionIdentity } from "../contracts/login_service.ts";
import { MAX_FAILURES } from "../pop3/login.ts";
import type { PackedEvents } from "./packed_events.ts";
import { unpackEvents } from "./unpack_events.ts";

/** Something that no session worker says, well formed as it may be: of another's session, or of what has not happened. */
export class FalseStatementError extends Error {
  override name = "FalseStatementError";
}

/** Milliseconds that an event may be older or newer than the moment in which it is told, before the main thread's clock counts. */
const LONGEST_WAY = 60_000;
/** More sessions than `max_connections` that may be told of: it can have been lowered, and a port that retires takes in who waits. */
const MORE_SESSIONS = 4096;

/** What is known of one session. */
interface KnownSession {
  readonly address: string;
  /** Whether a login of it is being checked. */
  checking: boolean;
  /** Logins that failed by their credentials. */
  failures: number;
  /** What the main thread has granted, until the lock is given back. */
  granted: { readonly user: string; readonly mechanism: string } | undefined;
  /** Whether its login was told of. */
  open: boolean;
}

/** How a worker's sessions are kept. */
export interface WorkerSessionsOptions {
  /** Begins the names of its sessions, and nobody else's. */
  readonly prefix: string;
  /** How many sessions there may be at once, in all workers. */
  readonly maxConnections: () => number;
  readonly clock: Clock;
}

/** The sessions of one worker that have begun and not ended. */
export class WorkerSessions {
  readonly #start: string;
  readonly #maxConnections: () => number;
  readonly #clock: Clock;
  readonly #known = new Map<string, KnownSession>();
  /** The highest number of a session that was told of in earlier lists: names are not used again. */
  #told = 0;
  /** Numbers above it in the list that is being read. */
  readonly #fresh = new Set<number>();

  constructor({ prefix, maxConnections, clock }: WorkerSessionsOptions) {
    this.#start = `${prefix}-`;
    this.#maxConnections = maxConnections;
    this.#clock = clock;
  }

  /** How many there are. */
  get size(): number {
    return this.#known.size;
  }

  /** Whether a session has begun here and not ended. */
  has(session: string): boolean {
    return this.#known.has(session);
  }

  /** @throws {FalseStatementError} when a session is none of this worker's, or over */
  mustHave(session: string): void {
    this.#of(session);
  }

  /** Their names. */
  names(): string[] {
    return [...this.#known.keys()];
  }

  /**
   * Reads events and tells them.
   *
   * @throws {ShapeError} or {@linkcode FalseStatementError} at the first that cannot be; those before it have been told
   */
  take(events: PackedEvents, observe: Observer): void {
    unpackEvents(events, (event) => {
      const checked = this.#checked(event);
      if (checked !== undefined) observe(checked);
    });
    for (const number of this.#fresh) this.#told = Math.max(this.#told, number);
    this.#fresh.clear();
  }

  /**
   * Finds the session that a question is asked for.
   *
   * @throws {FalseStatementError} when it is none of this worker's, or has another address
   */
  of({ session, address }: SessionIdentity): KnownSession {
    const known = this.#of(session);
    if (known.address !== address) {
      throw new FalseStatementError("A session has another address than it had");
    }
    return known;
  }

  /**
   * Notes that a login is to be checked.
   *
   * @throws {FalseStatementError} when the session cannot log in
   */
  checking(identity: SessionIdentity): void {
    const known = this.of(identity);
    if (known.checking || known.granted !== undefined) {
      throw new FalseStatementError("A session logs in that does so already");
    }
    if (known.failures >= MAX_FAILURES) {
      throw new FalseStatementError("A session goes on whose logins have failed too often");
    }
    known.checking = true;
  }

  /**
   * Notes how a login ended.
   *
   * @returns whether the session is still there
   */
  checked(session: string, { mechanism }: Credentials, outcome: LoginOutcome): boolean {
    const known = this.#known.get(session);
    if (known === undefined) return false;
    known.checking = false;
    if (outcome.kind === "granted") known.granted = { user: outcome.user, mechanism };
    else if (outcome.reason === "credentials") known.failures++;
    return true;
  }

  /** Notes that a login could not be checked. */
  unchecked(session: string): void {
    const known = this.#known.get(session);
    if (known !== undefined) known.checking = false;
  }

  /**
   * Finds whose mail a session reads.
   *
   * @throws {FalseStatementError} when it is no session of this worker's that has logged in
   */
  reader(session: string): { readonly user: string; readonly address: string } {
    const { address, granted, open } = this.#of(session);
    if (granted === undefined || !open) {
      throw new FalseStatementError("A session without a login reads mail");
    }
    return { user: granted.user, address };
  }

  /** Notes that a session has given its lock back. */
  released(session: string): void {
    const known = this.#known.get(session);
    if (known === undefined) return;
    known.granted = undefined;
  }

  /** Whether a session was one of this worker's, and is over. */
  hasEnded(session: string): boolean {
    if (this.#known.has(session)) return false;
    const number = this.#numberOf(session);
    return number !== undefined && (number <= this.#told || this.#fresh.has(number));
  }

  #of(session: string): KnownSession {
    const known = this.#known.get(session);
    if (known !== undefined) return known;
    throw new FalseStatementError("Something is said of a session that is not there");
  }

  /** The event as it is told, with a time that can be right; undefined for what comes late, of a session that is over. */
  #checked(event: ServerEvent): ServerEvent | undefined {
    if (event.type !== "connected" && this.hasEnded(event.session)) return undefined;
    switch (event.type) {
      case "connected":
        this.#begin(event);
        return this.#timed(event);
      case "login":
        this.#open(event);
        return this.#timed(event);
      case "disconnected":
        this.#of(event.session);
        this.#known.delete(event.session);
        return this.#timed(event);
      case "retrieved":
      case "deleted":
        if (this.#of(event.session).open) return event;
        throw new FalseStatementError("A session without a login reads or removes mail");
      case "login-refused":
        throw new FalseStatementError("A worker tells of a login that was refused");
      default:
        this.#of(event.session);
        return event;
    }
  }

  #begin({ session, address }: ServerEvent & { readonly type: "connected" }): void {
    const number = this.#numberOf(session);
    if (number === undefined) {
      throw new FalseStatementError("A session begins under another worker's name");
    }
    if (number <= this.#told || this.#fresh.has(number)) {
      throw new FalseStatementError("A session begins under a name that was used");
    }
    if (this.#known.size >= this.#maxConnections() + MORE_SESSIONS) {
      throw new FalseStatementError("More sessions begin than there may be");
    }
    this.#fresh.add(number);
    this.#known.set(session, {
      address,
      checking: false,
      failures: 0,
      granted: undefined,
      open: false,
    });
  }

  /** The number behind the worker's prefix, or undefined when it is another's name, or none. */
  #numberOf(session: string): number | undefined {
    if (!session.startsWith(this.#start)) return undefined;
    const written = session.slice(this.#start.length);
    const number = parseInt(written, 36);
    return number > 0 && number.toString(36) === written ? number : undefined;
  }

  #open({ session, user, mechanism }: ServerEvent & { readonly type: "login" }): void {
    const known = this.#of(session);
    const { granted, open } = known;
    if (open || granted?.user !== user || granted.mechanism !== mechanism) {
      throw new FalseStatementError("A login is told of that was not granted");
    }
    known.open = true;
  }

  #timed<E extends ServerEvent & { readonly at: number }>(event: E): E {
    const now = this.#clock.wall();
    return Math.abs(event.at - now) <= LONGEST_WAY ? event : { ...event, at: now };
  }
}
