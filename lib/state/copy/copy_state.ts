/** Copies a state from one place to another, and compares what was written with what was read, row by row. */

import { StateStoreError } from "../../contracts/state_store.ts";
import type { RowPlace, StateRows } from "./rows.ts";

/** How many rows of each table were copied. */
export type Copied = Readonly<Record<keyof StateRows, number>>;

/**
 * Copies.
 *
 * @throws {StateStoreError} when one of the places cannot be used, or what was written is not what was read
 */
export async function copyState(from: RowPlace, to: RowPlace): Promise<Copied> {
  const rows = await from.read();
  await to.write(rows);
  const written = await to.read();
  const tables = Object.keys(rows) as (keyof StateRows)[];
  for (const table of tables) {
    const [wanted, found] = [rows[table], written[table]];
    const at = wanted.findIndex((row, index) => !isSame(row, found[index]));
    if (at < 0 && wanted.length === found.length) continue;
    const text = `What was written to ${to.name} is not what was read from ${from.name}: ` +
      `row ${Math.max(at, 0) + 1} of ${wanted.length} of ${table} differs (${found.length} were ` +
      "written). Do not use the copy";
    throw new StateStoreError("corrupt", text);
  }
  return Object.fromEntries(tables.map((table) => [table, rows[table].length])) as Copied;
}

function isSame(row: StateRows[keyof StateRows][number], other: typeof row | undefined): boolean {
  if (other === undefined) return false;
  const names = Object.keys(row);
  return names.length === Object.keys(other).length &&
    names.every((name) => row[name] === other[name]);
}
