/** Seals tables of the state file: triggers keep the number of their rows and a checksum over them in its header. */

import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";

/** A table that is sealed. */
export interface SealedTable {
  readonly table: string;
  /** All columns, in a fixed order, and how those are read that are no text or number: as `hex salt`. */
  readonly columns: readonly string[];
  /** The column that names the header's row. @default one row, which is named like the table */
  readonly row?: string;
  /** The values of that column. */
  readonly rows?: readonly string[];
}

/** The function that the triggers call. Other programs do not have it, so they cannot change a sealed table unnoticed. */
const DIGEST = "postern_digest";

/** Lends a connection the function that the triggers call. */
export function lendDigest(database: DatabaseSync): void {
  database.function(DIGEST, { deterministic: true }, (text) => crc32(String(text)));
}

/** The statements that seal a table as it is now. */
export function sealing(sealed: SealedTable): string {
  const { table, rows = [table] } = sealed;
  const row = (of: "new" | "old"): string =>
    sealed.row === undefined ? `'${table}'` : `${of}.${sealed.row}`;
  return `
  INSERT INTO header (name, amount) VALUES ${rows.map((name) => `('${name}', 0)`).join(", ")};
  UPDATE header SET (amount, checksum) = (
    SELECT count(*), coalesce(sum(${digest(sealed)}), 0) FROM ${table}
    WHERE ${sealed.row ?? `'${table}'`} = header.name
  ) WHERE name IN (${rows.map((name) => `'${name}'`).join(", ")});
  CREATE TRIGGER ${table}_inserted AFTER INSERT ON ${table} BEGIN
    UPDATE header SET amount = amount + 1, checksum = checksum + ${digest(sealed, "new")}
      WHERE name = ${row("new")};
  END;
  CREATE TRIGGER ${table}_updated AFTER UPDATE ON ${table} BEGIN
    UPDATE header SET checksum = checksum - ${digest(sealed, "old")} + ${digest(sealed, "new")}
      WHERE name = ${row("new")};
  END;
  CREATE TRIGGER ${table}_deleted AFTER DELETE ON ${table} BEGIN
    UPDATE header SET amount = amount - 1, checksum = checksum - ${digest(sealed, "old")}
      WHERE name = ${row("old")};
  END;`;
}

/** A sealed row of the header that does not fit what is in the file. */
export interface BrokenSeal {
  /** `user`, `administrator`, or a table's name. */
  readonly name: string;
  /** How many rows there should be. */
  readonly expected: number;
  /** How many there are. */
  readonly found: number;
}

/**
 * Compares the header with what is in the file: 2 µs a row.
 *
 * @throws {Error} of SQLite, when the file cannot be read
 */
export function brokenSeal(
  database: DatabaseSync,
  tables: readonly SealedTable[],
): BrokenSeal | undefined {
  const counts = tables.map((sealed) => {
    const { table, row } = sealed;
    const name = row ?? `'${table}'`;
    return `SELECT ${name} AS name, count(*) AS amount, coalesce(sum(${digest(sealed)}), 0) ` +
      `AS checksum FROM ${table} ${row === undefined ? "" : `GROUP BY ${row}`}`;
  });
  const broken = database.prepare(
    `WITH found AS (${counts.join(" UNION ALL ")}) SELECT name, ` +
      "coalesce(header.amount, 0) AS expected, coalesce(found.amount, 0) AS found " +
      "FROM header FULL JOIN found USING (name) WHERE name NOT IN ('closed', 'transactions') " +
      "AND (coalesce(header.amount, 0) <> coalesce(found.amount, 0) OR " +
      "coalesce(header.checksum, 0) <> coalesce(found.checksum, 0)) " +
      "ORDER BY expected = found LIMIT 1",
  ).get();
  return broken && {
    name: String(broken.name),
    expected: Number(broken.expected),
    found: Number(broken.found),
  };
}

/**
 * SQL for a row's checksum, 32 bits; a sum of them over all rows there can be fits an integer. It need not tell rows apart that somebody
 * chose: quoting every column would take twice the time.
 *
 * @param of `new` or `old`, in a trigger
 */
function digest({ columns }: SealedTable, of?: "new" | "old"): string {
  const values = columns.map((column) => {
    const [name, reader] = column.split(" ").reverse();
    const value = of === undefined ? name : `${of}.${name}`;
    return reader === undefined ? value : `${reader}(${value})`;
  });
  return `${DIGEST}(concat_ws('|', ${values.join(", ")}))`;
}
