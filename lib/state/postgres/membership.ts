/** A node's row: how it registers, beats, and learns that it was taken for dead. */

import { delay } from "../../async/delay.ts";
import type { NodeInfo, NodeState, OwnFigures } from "../../contracts/fleet.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import type { Database } from "./database.ts";
import { millisecondsSql, numberOf, timeOf } from "./values.ts";

/** Milliseconds between two beats; a row that was not beaten for {@linkcode SILENCE} is a dead node's. */
const BEAT = 2000;
/** Without a beat for so long, a node is dead to the others. */
export const SILENCE = "interval '10 s'";
/** Milliseconds for which a name that is in use is asked for again: longer than a dead node is held for alive. */
const LONGEST_REGISTRATION = 12_000;
const ASK_AGAIN = 500;

/** What a beat tells of what is new. */
export interface News {
  /** Changes whenever there are other signals than before. */
  readonly signals: string;
  /** The newest failure's id. */
  readonly failures: string;
  /** How many nodes there are. */
  readonly nodes: number;
}

/** How a node takes part. */
export interface MembershipOptions {
  readonly database: Database;
  readonly name: string;
  readonly version: string;
  /** What the node tells of itself, asked at each beat. */
  readonly figures: () => OwnFigures;
  /** Told of what a beat brought. Must not throw. */
  readonly beaten: (news: News) => void;
  /**
   * The node was taken for dead, and has registered anew: its leases are revived as far as nobody took them.
   *
   * @param before the epoch that has lapsed
   */
  readonly lapsed: (before: number, epoch: number) => Promise<void>;
  /** Another process has the name: nothing is valid until it is free again. */
  readonly displaced: (error: StateStoreError) => void;
}

/** A node among others. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #instance = crypto.randomUUID();
  #state: Exclude<NodeState, "silent"> = "serving";
  #epoch: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beating: Promise<void> | undefined;
  #isEnded = false;
  #isDisplaced = false;

  private constructor(options: MembershipOptions) {
    this.#options = options;
    this.#epoch = 0;
  }

  /**
   * Registers, and beats from then on.
   *
   * @throws {StateStoreError} `held` when another process has the name
   */
  static async join(options: MembershipOptions): Promise<Membership> {
    const membership = new Membership(options);
    const { name } = options;
    const end = performance.now() + LONGEST_REGISTRATION;
    for (;;) {
      const epoch = await membership.#register();
      if (epoch !== undefined) {
        membership.#epoch = epoch;
        break;
      }
      if (performance.now() + ASK_AGAIN > end) throw await membership.#inUse();
      await delay(ASK_AGAIN);
    }
    await closeCrashed(options.database, name, membership.#epoch);
    membership.#plan();
    return membership;
  }

  /** The node's name. */
  get name(): string {
    return this.#options.name;
  }

  /** Grows when the node was taken for dead, or another process took its name. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Tells the others how this node stands. */
  set state(state: Exclude<NodeState, "silent">) {
    this.#state = state;
    void this.beat();
  }

  /** Beats now. Settles when it is done, or has failed: the next beat comes soon. Never rejects. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => this.#beating = undefined);
    return this.#beating;
  }

  /** All nodes. @throws {StateStoreError} */
  async nodes(): Promise<readonly NodeInfo[]> {
    const { rows } = await this.#options.database.query(
      `SELECT name, state, version, figures, ${millisecondsSql("started")} AS since, ` +
        `${millisecondsSql("seen")} AS seen, seen <= now() - ${SILENCE} AS silent ` +
        "FROM {node} ORDER BY name",
      [],
      { repeatable: true },
    );
    return rows.map((row) => ({
      name: String(row.name),
      state: row.silent ? "silent" : row.state === "draining" ? "draining" : "serving",
      since: timeOf(row, "since"),
      seen: timeOf(row, "seen"),
      version: String(row.version),
      ...readFigures(String(row.figures)),
    }));
  }

  /** Leaves: the row goes, and with it what is left of the node's leases. Never rejects: who cannot say so falls silent. */
  async leave(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    await this.#beating;
    const { database, name } = this.#options;
    try {
      await closeCrashed(database, name, this.#epoch + 1);
      await database.query("DELETE FROM {node} WHERE name = $1 AND epoch = $2", [
        name,
        this.#epoch,
      ], { repeatable: true });
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
    }
  }

  #plan(): void {
    if (this.#isEnded) return;
    this.#timer = setTimeout(() => void this.beat().finally(() => this.#plan()), BEAT);
    Deno.unrefTimer(this.#timer);
  }

  async #beat(): Promise<void> {
    const { beaten, database, name } = this.#options;
    try {
      const { rows } = await database.query(
        "UPDATE {node} SET seen = now(), state = $3, figures = $4 " +
          `WHERE name = $1 AND epoch = $2 AND seen > now() - ${SILENCE} RETURNING ` +
          "(SELECT coalesce(max(id), 0)::text || ' ' || count(*)::text FROM {signal}) AS signals, " +
          "(SELECT coalesce(max(id), 0)::text FROM {failure}) AS failures, " +
          "(SELECT count(*) FROM {node}) AS nodes",
        [name, this.#epoch, this.#state, this.#figures()],
        { repeatable: true },
      );
      const [row] = rows;
      if (row === undefined) return await this.#renew();
      beaten({
        signals: String(row.signals),
        failures: String(row.failures),
        nodes: numberOf(row.nodes),
      });
    } catch (error) {
      // The database is away, which its events tell.
      if (!(error instanceof StateStoreError)) throw error;
    }
  }

  /** The epoch has lapsed: others may have taken leases over. */
  async #renew(): Promise<void> {
    if (this.#isEnded) return;
    const before = this.#epoch;
    const epoch = await this.#register();
    if (epoch === undefined) {
      if (!this.#isDisplaced) this.#options.displaced(await this.#inUse());
      this.#isDisplaced = true;
      return;
    }
    this.#isDisplaced = false;
    this.#epoch = epoch;
    await this.#options.lapsed(before, epoch);
  }

  /** Returns the epoch, or undefined when the name is in use. */
  async #register(): Promise<number | undefined> {
    const { database, name, version } = this.#options;
    const { rows } = await database.query(
      "INSERT INTO {node} AS n VALUES ($1, 1, $2, now(), now(), $3, $4, $5) " +
        "ON CONFLICT (name) DO UPDATE SET epoch = n.epoch + 1, instance = excluded.instance, " +
        "started = CASE WHEN n.instance = excluded.instance THEN n.started ELSE now() END, " +
        "seen = now(), version = excluded.version, state = excluded.state, " +
        "figures = excluded.figures WHERE n.instance = excluded.instance OR " +
        `n.seen <= now() - ${SILENCE} RETURNING epoch`,
      [name, this.#instance, version, this.#state, this.#figures()],
      { repeatable: true },
    );
    return rows[0] === undefined ? undefined : numberOf(rows[0].epoch);
  }

  #figures(): string {
    const { figures, differs } = this.#options.figures();
    return JSON.stringify({ figures, differs });
  }

  async #inUse(): Promise<StateStoreError> {
    const { name } = this.#options;
    const since = (await this.nodes()).find((node) => node.name === name)?.since ?? 0;
    const text = `The node name ${name} is in use by another server, which started at ` +
      `${new Date(since).toISOString()}. Give each server its own name with --node`;
    return new StateStoreError("held", text);
  }
}

function readFigures(text: string): OwnFigures {
  try {
    const { figures, differs } = JSON.parse(text);
    return { figures: figures ?? {}, differs: differs ?? [] };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      return { figures: {}, differs: [] };
    }
    throw error;
  }
}

/** Ends the leases that a node's earlier epochs left, each with its record in the access log. */
async function closeCrashed(database: Database, node: string, epoch: number): Promise<void> {
  await database.query(
    "WITH gone AS (DELETE FROM {lease} WHERE node = $1 AND epoch < $2 AND busy_until < now() " +
      `RETURNING *) ${CRASHED_ROWS}`,
    [node, epoch],
    { repeatable: true },
  );
}

/** SQL that writes the access records of leases in `gone` whose sessions nobody ended. */
export const CRASHED_ROWS = "INSERT INTO {access} SELECT session, node, name, since, address, " +
  "tls, mechanism, now(), 0, 0, 0, 'crashed' FROM gone WHERE mechanism <> '-' " +
  "ON CONFLICT (session) DO NOTHING";
