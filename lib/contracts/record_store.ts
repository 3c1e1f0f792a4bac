/** What the state keeps of the past: the access log, the counters' totals, and a row of counters a minute. */

/** How a session is kept when it begins. */
export interface AccessStart {
  /** Unique among all sessions since the server's first start. */
  readonly session: string;
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  readonly user: string;
  /** The client's IP address. */
  readonly address: string;
  /** The TLS version, where the connection was encrypted. */
  readonly tls: string | undefined;
  readonly mechanism: string;
}

/** What is known when a session has ended. */
export interface AccessEnd {
  /** Milliseconds since 1970, UTC. */
  readonly ended: number;
  /** Messages retrieved. */
  readonly messages: number;
  /** Octets retrieved. */
  readonly octets: number;
  /** Messages deleted. */
  readonly deleted: number;
  /** How it ended: a close reason, or `crashed`. */
  readonly ending: string;
}

/** A session of the access log. What {@linkcode AccessEnd} tells is absent while it lasts. */
export type AccessRecord = AccessStart & { readonly end: AccessEnd | undefined };

/** The access log. Writing only takes notes, which reach the disk within a second; reading sees them at once. */
export interface AccessLog {
  /** Notes a login. */
  opened(start: AccessStart): void;
  /** Notes the end of a session that {@linkcode AccessLog.opened} noted. */
  completed(session: string, end: AccessEnd): void;
  /** How many records there are of a user; costs the same with one as with 10 000. */
  count(user: string): Promise<number>;
  /** A user's records, the newest `limit` of them, newest last. */
  list(user: string, limit: number): Promise<readonly AccessRecord[]>;
  /**
   * Forgets records that are too old. Their age is counted in days that the server has run, since by a wrong wall clock all of them would
   * be too old.
   *
   * @param day the server's present day, the first being 0; to be told at each start, and on each day
   */
  forgetOld(day: number): Promise<void>;
}

/** A row of the history. */
export interface HistoryRow {
  /** Minutes since 1970. */
  readonly minute: number;
  readonly value: number;
}

/** A row of the history by hours. */
export interface HourRow {
  /** Hours since 1970. */
  readonly hour: number;
  readonly value: number;
}

/** Counters' totals and history. */
export interface CounterStore {
  /** The totals as last saved. */
  totals(): Promise<ReadonlyMap<string, number>>;
  /**
   * Adds to totals, those that are not there yet being 0. Meant for once a second.
   *
   * @param peaks totals that are no sums: each is raised to at least this much
   */
  add(deltas: ReadonlyMap<string, number>, peaks?: ReadonlyMap<string, number>): Promise<void>;
  /**
   * Puts a minute's row of all counters in place of the one that is there.
   *
   * @param weights of values that are means: of how many each is, where several servers' rows are joined
   */
  append(
    minute: number,
    values: ReadonlyMap<string, number>,
    weights?: ReadonlyMap<string, number>,
  ): Promise<void>;
  /** Forgets the rows before a minute. Whoever appends says which: by a wrong clock, all rows would be too old. */
  forgetBefore(minute: number): Promise<void>;
  /** Moves the rows from one minute to another, both included, by so many minutes; rows that are there give way. */
  move(range: { readonly from: number; readonly to: number }, by: number): Promise<void>;
  /** A counter's rows from minute `since` on, oldest first; rows that lack the counter are left out. */
  history(counter: string, since: number): AsyncIterable<HistoryRow>;
  /** Puts an hour's row of all counters in place of the one that is there. */
  appendHour(hour: number, values: ReadonlyMap<string, number>): Promise<void>;
  /** A counter's rows from hour `since` on, oldest first. */
  hours(counter: string, since: number): AsyncIterable<HourRow>;
  /** Forgets the rows before an hour. */
  forgetHoursBefore(hour: number): Promise<void>;
}
