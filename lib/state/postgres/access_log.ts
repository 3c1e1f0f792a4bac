/** The access log in a database: a row for each session that has ended; those that last are leases. */

import type {
  AccessEnd,
  AccessLog,
  AccessRecord,
  AccessStart,
} from "../../contracts/record_store.ts";
import type { Row } from "./connection.ts";
import type { Database } from "./database.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import { millisecondsSql, momentSql, numberOf, textOf, timeOf } from "./values.ts";

/** What the access log needs. */
export interface PostgresAccessLogOptions
  extends Pick<OutboxOptions<unknown>, "onTrouble" | "onRecovery"> {
  readonly database: Database;
  /** The name of this node. */
  readonly node: string;
}

interface Ended {
  readonly start: AccessStart;
  readonly end: AccessEnd;
}

/** The access log in a database. */
export class PostgresAccessLog implements AccessLog {
  readonly #database: Database;
  readonly #node: string;
  /** Sessions that last. */
  readonly #open = new Map<string, AccessStart>();
  /** Rows of sessions whose lock did not write them with its end. */
  readonly #rows: Outbox<Ended>;

  constructor({ database, node, onTrouble, onRecovery }: PostgresAccessLogOptions) {
    this.#database = database;
    this.#node = node;
    this.#rows = new Outbox({ send: (rows) => this.#write(rows), onTrouble, onRecovery });
  }

  opened(start: AccessStart): void {
    this.#open.set(start.session, start);
  }

  completed(session: string, end: AccessEnd): void {
    const start = this.#open.get(session);
    if (start === undefined || !this.#open.delete(session)) return;
    void this.#rows.add({ start, end });
  }

  /** The record of this session is written by another: the end of its lock. */
  handOver(session: string): void {
    this.#open.delete(session);
  }

  /** Writes what waits, as far as it can be written now. */
  flush(): Promise<void> {
    return this.#rows.retry();
  }

  async count(user: string): Promise<number> {
    await this.#rows.retry();
    const { rows } = await this.#read(
      "SELECT (SELECT count(*) FROM {access} WHERE name = $1) AS ended, " +
        "(SELECT count(*) FROM {lease} WHERE name = $1 AND NOT (session = ANY($2::text[]))) AS open",
      [user, this.#ownOpen(user).map(({ session }) => session)],
    );
    return numberOf(rows[0]?.ended) + numberOf(rows[0]?.open) + this.#ownOpen(user).length +
      this.#rows.items.filter(({ start }) => start.user === user).length;
  }

  async list(user: string, limit: number): Promise<readonly AccessRecord[]> {
    await this.#rows.retry();
    const columns = `session, name, address, tls, mechanism`;
    const { rows } = await this.#read(
      `SELECT ${columns}, ${millisecondsSql("at")} AS at, ${millisecondsSql("ended")} AS ended, ` +
        "messages, octets, deleted, ending FROM {access} WHERE name = $1 " +
        "ORDER BY access.at DESC, access.session DESC LIMIT $2",
      [user, limit],
    );
    const leases = await this.#read(
      `SELECT ${columns}, ${millisecondsSql("since")} AS at, NULL AS ended FROM {lease} ` +
        "WHERE name = $1 AND mechanism <> '-'",
      [user],
    );
    const records = [...rows, ...leases.rows].map(recordOf);
    const known = new Set(records.map(({ session }) => session));
    records.push(
      ...this.#rows.items.filter(({ start }) => start.user === user && !known.has(start.session))
        .map(({ start, end }) => ({ ...start, end })),
      ...this.#ownOpen(user).filter(({ session }) => !known.has(session))
        .map((start) => ({ ...start, end: undefined })),
    );
    records.sort((one, other) => one.at - other.at);
    return records.slice(Math.max(0, records.length - limit));
  }

  /** Does nothing: whoever cleans up forgets what the database's clock says is too old. */
  forgetOld(): Promise<void> {
    return Promise.resolve();
  }

  #ownOpen(user: string): AccessStart[] {
    return [...this.#open.values()].filter((start) => start.user === user);
  }

  readonly #read = (text: string, values: readonly unknown[]): ReturnType<Database["query"]> =>
    this.#database.query(text, values, { repeatable: true });

  async #write(rows: readonly Ended[]): Promise<void> {
    await this.#database.query(
      `INSERT INTO {access} SELECT u.session, $1::text, u.name, ${momentSql("u.at")}, u.address, ` +
        `u.tls, u.mechanism, ${momentSql("u.ended")}, u.messages, u.octets, u.deleted, u.ending ` +
        "FROM unnest($2::text[], $3::text[], $4::double precision[], $5::text[], $6::text[], " +
        "$7::text[], $8::double precision[], $9::bigint[], $10::bigint[], $11::bigint[], " +
        "$12::text[]) AS u (session, name, at, address, tls, mechanism, ended, messages, octets, " +
        "deleted, ending) ON CONFLICT (session) DO NOTHING",
      [
        this.#node,
        rows.map(({ start }) => start.session),
        rows.map(({ start }) => start.user),
        rows.map(({ start }) => start.at),
        rows.map(({ start }) => start.address),
        rows.map(({ start }) => start.tls ?? null),
        rows.map(({ start }) => start.mechanism),
        rows.map(({ end }) => end.ended),
        rows.map(({ end }) => end.messages),
        rows.map(({ end }) => end.octets),
        rows.map(({ end }) => end.deleted),
        rows.map(({ end }) => end.ending),
      ],
      { repeatable: true },
    );
  }
}

function recordOf(row: Row): AccessRecord {
  return {
    session: String(row.session),
    at: timeOf(row, "at"),
    user: String(row.name),
    address: String(row.address),
    tls: textOf(row.tls),
    mechanism: String(row.mechanism),
    end: row.ended === null ? undefined : {
      ended: timeOf(row, "ended"),
      messages: numberOf(row.messages),
      octets: numberOf(row.octets),
      deleted: numberOf(row.deleted),
      ending: String(row.ending),
    },
  };
}
