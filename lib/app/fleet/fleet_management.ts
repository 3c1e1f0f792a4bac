/** What administrators see of all servers that share a database, and can tell them. */

import { delay } from "../../async/delay.ts";
import type { FleetManagement, NodeInfo } from "../../contracts/fleet.ts";
import { type Figures, ManagementError, type SessionInfo } from "../../contracts/management.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import { Counters } from "../../observe/counters.ts";
import { METRICS } from "../../observe/metrics.ts";
import type { Observatory } from "../../observe/observatory.ts";
import type { PostgresState } from "../../state/postgres/postgres_state.ts";
import { millisecondsSql, textOf, timeOf } from "../../state/postgres/values.ts";
import type { Fleet } from "./fleet.ts";

/** Milliseconds for which KICK waits for another server. */
const LONGEST_KICK = 3000;
const LOOK_AGAIN = 20;
const MINUTE = 60_000;
/** Sessions of other servers that are listed at most. */
const MOST_SESSIONS = 10_000;
const DURATION = "pop3.command.duration";
const ACTIVE = "pop3.sessions.active";
const PEAK = "pop3.sessions.peak";

/** What is known of all servers. */
export interface FleetManagementOptions {
  readonly fleet: Fleet;
  readonly state: PostgresState;
  readonly observatory: Pick<Observatory, "sessions" | "counters" | "history">;
  readonly life: { reload(): Promise<unknown>; shutdown(): void };
}

/** Makes what administrators see of all servers. While the database is away, figures are this server's own and what was last known. */
export class SharedManagement implements FleetManagement {
  readonly #options: FleetManagementOptions;
  #others: { readonly totals: ReadonlyMap<string, number>; readonly active: number } = {
    totals: new Map(),
    active: 0,
  };
  #peak = 0;

  constructor(options: FleetManagementOptions) {
    this.#options = options;
    options.fleet.onNews(({ nodes }) => {
      if (nodes > 1) void this.#notePeak();
    });
  }

  nodes(): Promise<readonly NodeInfo[]> {
    return this.#options.fleet.nodes();
  }

  async figures(node?: string): Promise<Figures> {
    const { fleet, observatory: { counters, history }, state } = this.#options;
    if (node === fleet.name) return figuresOf(counters, (...asked) => history.query(...asked));
    if (node !== undefined) {
      const { figures } = await this.#known(node);
      const its = new Counters({ size: figures.sessions ?? 0 });
      its.restore(await state.counters.totalsOf(node));
      return figuresOf(its, (name, minutes) => this.#history(name, minutes, node));
    }
    await this.#look();
    const others = new Counters({ size: this.#others.active });
    others.restore(this.#others.totals);
    return {
      all: () => METRICS.map(({ name }) => [name, this.#sum(name, counters, others)] as const),
      get: (name) =>
        counters.get(name) === undefined ? undefined : this.#sum(name, counters, others),
      history: (name, minutes) => this.#history(name, minutes, undefined),
    };
  }

  async sessions(node?: string): Promise<readonly SessionInfo[]> {
    const { fleet, observatory, state: { database } } = this.#options;
    if (node !== undefined && node !== fleet.name) await this.#known(node);
    const own = node === undefined || node === fleet.name ? [...observatory.sessions] : [];
    if (node === fleet.name) return own;
    const { rows } = await database.query(
      `SELECT session, name, address, tls, ${millisecondsSql("since")} AS since FROM {lease} ` +
        `WHERE node <> $1 AND mechanism <> '-' AND ($2::text IS NULL OR node = $2::text) ` +
        `ORDER BY since LIMIT ${MOST_SESSIONS}`,
      [fleet.name, node ?? null],
      { repeatable: true },
    );
    const others = rows.map((row): SessionInfo => ({
      id: String(row.session),
      user: String(row.name),
      address: String(row.address),
      tls: textOf(row.tls),
      state: "transaction",
      since: timeOf(row, "since"),
      bytes: undefined,
      lastCommand: undefined,
    }));
    return [...own, ...others].sort((one, other) => one.since - other.since);
  }

  async kick(id: string): Promise<SessionInfo | undefined> {
    const { fleet, state: { database } } = this.#options;
    const find = async (): Promise<string | undefined> => {
      const { rows } = await database.query(
        "SELECT node FROM {lease} WHERE session = $1 AND mechanism <> '-'",
        [id],
        { repeatable: true },
      );
      return textOf(rows[0]?.node);
    };
    const node = await find();
    if (node === undefined) return undefined;
    const [session] = (await this.sessions(node)).filter((each) => each.id === id);
    await fleet.say("kick", id);
    for (const end = performance.now() + LONGEST_KICK; performance.now() < end;) {
      if (await find() === undefined) return session;
      await delay(LOOK_AGAIN);
    }
    throw new ManagementError(`node ${node} does not answer`);
  }

  async tell(node: string, what: "reload" | "shutdown"): Promise<void> {
    const { fleet, life } = this.#options;
    if (node !== "*" && node !== fleet.name) await this.#known(node);
    if (node !== fleet.name) await fleet.say(what, node);
    if (node !== "*" && node !== fleet.name) return;
    if (what === "reload") await life.reload();
    else life.shutdown();
  }

  /** @throws {ManagementError} where there is no such server */
  async #known(node: string): Promise<NodeInfo> {
    const found = (await this.nodes()).find(({ name }) => name === node);
    if (found !== undefined) return found;
    throw new ManagementError(`no such node: ${node}; NODES lists all`);
  }

  /** Looks at what the others have counted; what cannot be read stays as it was. */
  async #look(): Promise<void> {
    const { fleet, state: { counters } } = this.#options;
    try {
      const [totals, nodes] = await Promise.all([counters.othersTotals(), fleet.nodes()]);
      const others = nodes.filter(({ name, state }) => name !== fleet.name && state !== "silent");
      this.#others = { totals, active: sum(others.map(({ figures }) => figures.sessions ?? 0)) };
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
    }
  }

  #sum(name: string, own: Counters, others: Counters): number {
    if (name === DURATION) {
      const [one, other] = [own.durations(), others.durations()];
      const count = one.count + other.count;
      return count === 0 ? 0 : Math.round((one.sum + other.sum) / count * 1000) / 1000;
    }
    const total = (own.get(name) ?? 0) + (others.get(name) ?? 0);
    if (name !== PEAK) return total;
    const now = (own.get(ACTIVE) ?? 0) + (others.get(ACTIVE) ?? 0);
    return Math.max(own.get(PEAK) ?? 0, others.get(PEAK) ?? 0, this.#peak, now);
  }

  async #notePeak(): Promise<void> {
    await this.#look();
    const { observatory: { counters }, state } = this.#options;
    const now = (counters.get(ACTIVE) ?? 0) + this.#others.active;
    const known = Math.max(this.#peak, this.#others.totals.get(PEAK) ?? 0, counters.get(PEAK) ?? 0);
    if (now <= known) return;
    this.#peak = now;
    await state.counters.raiseFleetPeak(PEAK, now).catch((error) => {
      if (!(error instanceof StateStoreError)) throw error;
    });
  }

  async #history(
    name: string,
    minutes: number,
    node: string | undefined,
  ): Promise<readonly { readonly minute: number; readonly value: number }[] | undefined> {
    const { observatory: { history }, state } = this.#options;
    const own = history.query(name, minutes);
    if (own === undefined) return undefined;
    const present = Math.floor(Date.now() / MINUTE);
    const since = present - minutes + 1;
    const rows = await state.counters.fleetHistory(name, since, node);
    const values = new Map(rows.map(({ minute, value }) => [minute * MINUTE, value]));
    // What this server has counted since it last wrote is newer.
    if (node === undefined && name !== DURATION) {
      const mine = await Array.fromAsync(state.counters.history(name, since));
      for (const { minute, value } of mine) {
        values.set(minute * MINUTE, values.get(minute * MINUTE)! - value);
      }
      for (const { minute, value } of own) values.set(minute, (values.get(minute) ?? 0) + value);
    }
    return [...values].sort(([one], [other]) => one - other)
      .map(([minute, value]) => ({ minute, value })).slice(-minutes);
  }
}

function figuresOf(counters: Counters, history: Figures["history"]): Figures {
  return {
    all: () => METRICS.map(({ name }) => [name, counters.get(name) ?? 0] as const),
    get: (name) => counters.get(name),
    history,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
