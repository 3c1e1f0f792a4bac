/** The outcome of all settings and where each came from, for `--print-config` and SETTINGS. */

import { printable } from "../bytes/printable.ts";
import { settingKey, type SettingName } from "./definition.ts";
import { settingNames } from "./definitions.ts";
import { type ResolvedSettings, type SettingSource, showSetting } from "./resolve.ts";

/** One setting as people read it; secrets are hidden. */
export interface SettingEntry {
  readonly name: SettingName;
  /** As SET and GET name it: `max_users`. */
  readonly key: string;
  readonly value: string;
  readonly source: SettingSource;
}

/** Every setting, in the manual's order. */
export function settingEntries({ settings, sources }: ResolvedSettings): SettingEntry[] {
  return settingNames.map((name) => ({
    name,
    key: settingKey(name),
    value: showSetting(name, settings),
    source: sources.get(name) ?? "default",
  }));
}

/** A table of key, value and source, ending with a line end. */
export function printConfig(resolved: ResolvedSettings): string {
  const rows = settingEntries(resolved).map(({ key, value, source }) => [
    key,
    printable(value, Infinity),
    source,
  ]);
  const width = (column: number): number =>
    Math.max(...rows.map((row) => Math.min(row[column]!.length, 60)));
  const [keys, values] = [width(0), width(1)];
  return rows.map(([key, value, source]) =>
    `${key!.padEnd(keys)}  ${value!.padEnd(values)}  ${source}\n`
  ).join("");
}
