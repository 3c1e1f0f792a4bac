/** Failed logins, told from server to server: several of them give a guesser no more tries than one. */

import { StateStoreError } from "../../contracts/state_store.ts";
import type { SharedFailure } from "../../contracts/ban.ts";
import type { GuardedLogins, LoginGuard } from "../../auth/login_guard.ts";
import type { Database } from "../../state/postgres/database.ts";
import { numberOf } from "../../state/postgres/values.ts";

/** Failures that wait for the next beat; of more, the oldest are not told. */
const MOST_WAITING = 10_000;
/** Failures that are read at a time. */
const MOST_READ = 10_000;

interface Waiting {
  readonly target: string;
  readonly mark: string;
  readonly other: string;
  readonly at: number;
  times: number;
}

/** Exchanges failures, in a statement each way and only where there are any. */
export class SharedFailures {
  readonly #database: Database;
  readonly #node: string;
  readonly #waiting = new Map<string, Waiting>();
  #last = "-1";
  #known = "";
  #exchanging: Promise<void> | undefined;

  constructor(database: Database, node: string) {
    this.#database = database;
    this.#node = node;
  }

  /** What a guard of these logins tells of failures. */
  of(logins: GuardedLogins): (failure: SharedFailure) => void {
    return ({ of, key, mark, other }) => {
      const target = `${logins}:${of}:${key}`;
      const name = `${target}\n${mark}`;
      const same = this.#waiting.get(name);
      if (same !== undefined) return void same.times++;
      this.#waiting.set(name, { target, mark, other, at: performance.now(), times: 1 });
      const [oldest] = this.#waiting.keys();
      if (this.#waiting.size > MOST_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
    };
  }

  /**
   * Tells what has failed here, and learns what has failed elsewhere. Never rejects.
   *
   * @param newest the newest failure's id, as a beat tells it
   */
  exchange(newest: string, guards: Readonly<Record<GuardedLogins, LoginGuard>>): Promise<void> {
    this.#exchanging ??= this.#exchange(newest, guards)
      .finally(() => this.#exchanging = undefined);
    return this.#exchanging;
  }

  async #exchange(
    newest: string,
    guards: Readonly<Record<GuardedLogins, LoginGuard>>,
  ): Promise<void> {
    try {
      if (this.#waiting.size > 0) await this.#tell();
      if (newest === this.#known) return;
      await this.#learn(guards);
      this.#known = newest;
    } catch (error) {
      if (!(error instanceof StateStoreError)) throw error;
    }
  }

  async #tell(): Promise<void> {
    const told = [...this.#waiting.values()];
    this.#waiting.clear();
    const now = performance.now();
    await this.#database.query(
      "INSERT INTO {failure} AS f SELECT u.target, u.mark, u.other, " +
        "now() - u.ago * interval '1 millisecond', u.times, $1::text, nextval('{revision}') " +
        "FROM unnest($2::text[], $3::text[], $4::text[], $5::double precision[], $6::int[]) AS " +
        "u (target, mark, other, ago, times) ON CONFLICT (target, mark) DO UPDATE SET " +
        "at = excluded.at, times = f.times + excluded.times, node = excluded.node, id = excluded.id",
      [
        this.#node,
        told.map(({ target }) => target),
        told.map(({ mark }) => mark),
        told.map(({ other }) => other),
        told.map(({ at }) => now - at),
        told.map(({ times }) => times),
      ],
    );
  }

  async #learn(guards: Readonly<Record<GuardedLogins, LoginGuard>>): Promise<void> {
    // At first also those of this server's last run.
    const isFirst = this.#last === "-1";
    const { rows } = await this.#database.query(
      "SELECT id::text AS id, target, mark, other, extract(epoch FROM now() - at) * 1000 AS ago " +
        "FROM {failure} WHERE id > $1::bigint AND ($3 OR node <> $2::text) ORDER BY id " +
        `LIMIT ${MOST_READ}`,
      [this.#last, this.#node, isFirst],
      { repeatable: true },
    );
    for (const row of rows) {
      const [logins, of, ...key] = String(row.target).split(":");
      const guard = logins === "administrators" ? guards.administrators : guards.users;
      const [mark, other] = [String(row.mark), String(row.other)];
      const failure = { of: of === "user" ? "user" : "address", key: key.join(":"), mark, other };
      guard.learn(failure as SharedFailure, Math.max(0, numberOf(row.ago)));
    }
    this.#last = String(rows.at(-1)?.id ?? (isFirst ? "0" : this.#last));
  }
}
