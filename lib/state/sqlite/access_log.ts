/** The access log in the state file: noted in memory, written together once in a while. */

import { delay } from "../../async/delay.ts";
import type {
  AccessEnd,
  AccessLog,
  AccessRecord,
  AccessStart,
} from "../../contracts/record_store.ts";
import { StateStoreError } from "../../contracts/state_store.ts";
import { ACCESS_DAYS, ACCESSES_PER_USER } from "../retention.ts";
import type { Row, SqliteDatabase } from "./database.ts";

/** Sessions noted while the disk fails; beyond it the oldest notes are lost. */
const MAX_NOTES = 100_000;
/** Records that age removes in one transaction, so that none takes long, and milliseconds from one to the next. */
const MAX_FORGOTTEN = 1000;
const BREATH_MS = 2;

/** What is not written yet of a session. */
interface Note {
  readonly start?: AccessStart | undefined;
  readonly end?: AccessEnd | undefined;
}

/** What the access log needs. */
export interface SqliteAccessLogOptions {
  readonly database: SqliteDatabase;
  /** Milliseconds since 1970: when sessions that the last process left open are said to have ended. */
  readonly now: () => number;
  /** Called with a first note where there was none, so that a flush is planned. */
  readonly noted: () => void;
}

/** The access log in the state file. */
export class SqliteAccessLog implements AccessLog {
  readonly #database: SqliteDatabase;
  readonly #noted: () => void;
  readonly #notes = new Map<string, Note>();
  #lost = 0;

  /** Makes the log; sessions that the last process left open are closed as `crashed`. */
  constructor({ database, now, noted }: SqliteAccessLogOptions) {
    this.#database = database;
    this.#noted = noted;
    database.transaction("kill", () =>
      database.run(
        "UPDATE accesses SET ended = ?, messages = 0, octets = 0, deleted = 0, " +
          "ending = 'crashed' WHERE ended IS NULL",
        now(),
      ));
  }

  /** How many sessions have notes that are not written yet. */
  get pending(): number {
    return this.#notes.size;
  }

  /** How many notes were lost since this was last asked, because too many waited. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  opened(start: AccessStart): void {
    this.#note(start.session, { start });
  }

  completed(session: string, end: AccessEnd): void {
    this.#note(session, { start: this.#notes.get(session)?.start, end });
  }

  async count(user: string): Promise<number> {
    const waiting = this.#waiting(user);
    const row = this.#database.get("SELECT amount FROM access_amounts WHERE user = ?", user);
    return (row?.amount as number | undefined ?? 0) + waiting.length;
  }

  async list(user: string, limit: number): Promise<readonly AccessRecord[]> {
    const waiting = this.#waiting(user);
    const written = this.#database.all(
      "SELECT * FROM accesses WHERE user = ? ORDER BY id DESC LIMIT ?",
      user,
      limit,
    ).map(recordOf).reverse();
    const all = [
      ...written.map((record) => ({
        ...record,
        end: record.end ?? this.#notes.get(record.session)?.end,
      })),
      ...waiting,
    ];
    return all.slice(Math.max(0, all.length - limit));
  }

  /** A user's records that could not be written, after trying: a disk that takes nothing keeps nobody from reading. */
  #waiting(user: string): readonly AccessRecord[] {
    try {
      this.flush();
      return [];
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
      return [...this.#notes.values()].flatMap(({ start, end }) =>
        start?.user === user ? [{ ...start, end }] : []
      );
    }
  }

  /**
   * Writes what is noted, in one transaction, and forgets what is too much. When it fails, the notes stay.
   *
   * @param limit how many sessions at most, the longest noted first
   * @returns whether notes remain
   */
  flush(limit: number = Infinity): boolean {
    const notes = [...this.#notes.entries().take(Math.min(limit, this.#notes.size))];
    if (notes.length === 0) return false;
    this.#database.transaction("kill", () => {
      for (const [session, note] of notes) this.#write(session, note);
      for (const user of new Set(notes.map(([, { start }]) => start?.user))) {
        if (user !== undefined) this.#trim(user);
      }
    });
    for (const [session] of notes) this.#notes.delete(session);
    return this.#notes.size > 0;
  }

  /** A row a day tells the last record that there was when it began, whatever the wall clock said then. */
  async forgetOld(day: number): Promise<void> {
    this.flush();
    const last = this.#database.transaction("kill", () => {
      this.#database.run(
        "INSERT INTO access_days SELECT ?, coalesce(max(id), 0) FROM accesses WHERE true " +
          "ON CONFLICT (day) DO NOTHING",
        day,
      );
      const row = this.#database.get(
        "SELECT day, last FROM access_days WHERE day <= ? ORDER BY day DESC LIMIT 1",
        day - ACCESS_DAYS,
      );
      if (row === undefined) return 0;
      this.#database.run("DELETE FROM access_days WHERE day < ?", row.day as number);
      return row.last as number;
    });
    const forget = (): number =>
      this.#database.transaction("kill", () =>
        this.#database.run(
          "DELETE FROM accesses WHERE id IN (SELECT id FROM accesses WHERE id <= ? LIMIT ?)",
          last,
          MAX_FORGOTTEN,
        ));
    while (forget() === MAX_FORGOTTEN) await delay(BREATH_MS);
  }

  #note(session: string, note: Note): void {
    this.#notes.set(session, note);
    if (this.#notes.size > MAX_NOTES) {
      for (const oldest of this.#notes.keys()) {
        this.#notes.delete(oldest);
        this.#lost++;
        break;
      }
    }
    if (this.#notes.size === 1) this.#noted();
  }

  #write(session: string, { start, end }: Note): void {
    const ending = [
      end?.ended ?? null,
      end?.messages ?? null,
      end?.octets ?? null,
      end?.deleted ?? null,
      end?.ending ?? null,
    ];
    if (!start) {
      this.#database.run(
        "UPDATE accesses SET ended = ?, messages = ?, octets = ?, deleted = ?, ending = ? " +
          "WHERE session = ? AND ended IS NULL",
        ...ending,
        session,
      );
      return;
    }
    this.#database.run(
      "INSERT INTO accesses (session, at, user, address, tls, mechanism, ended, messages, " +
        "octets, deleted, ending) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      session,
      start.at,
      start.user,
      start.address,
      start.tls ?? null,
      start.mechanism,
      ...ending,
    );
  }

  #trim(user: string): void {
    const row = this.#database.get("SELECT amount FROM access_amounts WHERE user = ?", user);
    const surplus = (row?.amount as number | undefined ?? 0) - ACCESSES_PER_USER;
    if (surplus <= 0) return;
    this.#database.run(
      "DELETE FROM accesses WHERE id IN " +
        "(SELECT id FROM accesses WHERE user = ? ORDER BY id LIMIT ?)",
      user,
      surplus,
    );
  }
}

function recordOf(row: Row): AccessRecord {
  return {
    session: row.session as string,
    at: row.at as number,
    user: row.user as string,
    address: row.address as string,
    tls: row.tls as string | null ?? undefined,
    mechanism: row.mechanism as string,
    end: row.ended === null ? undefined : {
      ended: row.ended as number,
      messages: row.messages as number,
      octets: row.octets as number,
      deleted: row.deleted as number,
      ending: row.ending as string,
    },
  };
}
