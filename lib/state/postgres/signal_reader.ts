/** Reads what other nodes said. */

import type { Signal, SignalKind } from "../../contracts/fleet.ts";
import type { Database } from "./database.ts";

/** Signals are read again for so long: one with a lower number may be committed later. */
const OVERLAP = "interval '1 minute'";

/** Reads the signals of other nodes, each once. */
export class SignalReader {
  readonly #database: Database;
  readonly #node: string;
  /** Those of the last minute that were read. */
  #seen: ReadonlySet<string> = new Set();
  #last = "0";

  constructor(database: Database, node: string) {
    this.#database = database;
    this.#node = node;
  }

  /** Reads what was not read yet; at first, nothing that is older is told: what it tells of has been read with the state. */
  async read(): Promise<readonly Signal[]> {
    const isFirst = this.#last === "0";
    const { rows } = await this.#database.query(
      "SELECT id::text AS id, node, kind, body FROM {signal} WHERE id > $1::bigint OR " +
        `at > now() - ${OVERLAP} ORDER BY id`,
      [this.#last],
      { repeatable: true },
    );
    const fresh = rows.filter((row) => !this.#seen.has(String(row.id)));
    this.#seen = new Set(rows.map((row) => String(row.id)));
    const newest = rows.at(-1)?.id;
    if (newest !== undefined && BigInt(String(newest)) > BigInt(this.#last)) {
      this.#last = String(newest);
    }
    if (isFirst) {
      if (this.#last === "0") this.#last = "-1";
      return [];
    }
    return fresh.filter((row) => row.node !== this.#node).map((row) => ({
      kind: row.kind as SignalKind,
      body: String(row.body),
      from: String(row.node),
    }));
  }
}
