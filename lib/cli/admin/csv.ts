/** Lists as CSV (RFC 4180). */

import { safe } from "../../terminal/safe_text.ts";

/** Rows with their names on the first line; values that are no objects stand in one column. */
export function csv(rows: readonly unknown[]): string {
  const records = rows.map((row) =>
    typeof row === "object" && row !== null ? row as Record<string, unknown> : { value: row }
  );
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const lines = [names, ...records.map((record) => names.map((name) => record[name]))];
  return lines.map((fields) => fields.map(field).join(",")).join("\n");
}

function field(value: unknown): string {
  const text = safe(Array.isArray(value) ? value.join(" ") : String(value ?? ""));
  // What a spreadsheet would take for a formula comes from clients: names and addresses.
  const harmless = /^[=+@\t-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
