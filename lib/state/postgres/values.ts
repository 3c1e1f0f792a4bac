/** Values of rows as the driver gives them, turned into the program's. */

import type { Row } from "./connection.ts";

/** Octets of a `bytea`, without what the driver's own type adds. */
export function octetsOf(value: unknown): Uint8Array {
  return new Uint8Array(value as Uint8Array);
}

/** A number that the driver gives as text: `bigint`, `numeric`. */
export function numberOf(value: unknown): number {
  return Number(value);
}

/** A text, or undefined for NULL. */
export function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** Milliseconds since 1970 as the expression {@linkcode millisecondsSql} gives them. */
export function timeOf(row: Row, name: string): number {
  return Math.round(Number(row[name]));
}

/** SQL for a `timestamptz` as milliseconds since 1970. */
export function millisecondsSql(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::double precision`;
}

/** SQL for a moment that is given as milliseconds since 1970. */
export function momentSql(parameter: string): string {
  return `to_timestamp(${parameter}::double precision / 1000)`;
}
