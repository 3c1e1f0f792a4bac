/** Reads a few settings as `serve` does: from the same flags, environment and config file. */

import { environmentName, flagName, type SettingName } from "../settings/definition.ts";
import { definitionOf } from "../settings/definitions.ts";
import { loadConfig } from "../settings/load_config.ts";
import { type GivenFlags, resolveSettings } from "../settings/resolve.ts";
import type { Settings } from "../contracts/settings.ts";
import { type OwnFlag, ownFlag } from "./own_flags.ts";

/** Settings that say which users there are and how their names are read, and the file that may hold these and others. */
export const USERS_AND_NAMES = [
  "users",
  "defaultDomain",
  "names",
  "recipientDelimiter",
  "config",
] as const;

/** The flags of some settings; `config` should be among them. */
export function settingFlags(names: readonly SettingName[]): OwnFlag[] {
  return names.map((name) => {
    const { type, letter, help } = definitionOf(name);
    return {
      ...ownFlag(flagName(name), letter, type.placeholder, help),
      repeatable: type.repeatable,
    };
  });
}

/**
 * Decides some settings. What is wrong with others is not looked at: it does not matter here.
 *
 * @param values the flags that were given, by name
 * @throws {SettingError} when one of them is wrong, or the config file cannot be read
 */
export async function readSomeSettings<K extends SettingName>(
  names: readonly K[],
  values: ReadonlyMap<string, readonly string[]>,
): Promise<Pick<Settings, K>> {
  const flags: GivenFlags = new Map(
    names.flatMap((name) => {
      const texts = values.get(flagName(name));
      return texts === undefined ? [] : [[name, texts] as const];
    }),
  );
  const variables = names.map(environmentName);
  const environment = {
    get: (name: string): string | undefined =>
      variables.includes(name) ? Deno.env.get(name) : undefined,
  };
  // None of the defaults that depend on the machine is asked for.
  const machine = { hostName: "localhost", cores: 1 };
  const config = await loadConfig({ flags, environment, machine });
  const known: ReadonlySet<SettingName> = new Set<SettingName>(names);
  const entries = new Map([...config?.entries ?? []].filter(([name]) => known.has(name)));
  const wanted = config === undefined ? undefined : { ...config, entries };
  return resolveSettings({ flags, environment, machine, config: wanted }).settings;
}
