/** Finds and reads the config file that flags or environment name. */

import { absolutePaths } from "./absolute_paths.ts";
import { type ConfigFile, readConfig } from "./config_file.ts";
import { type GivenFlags, resolveSettings, type SettingInputs } from "./resolve.ts";

/**
 * Reads the file of `--config` or `POSTERN_CONFIG`.
 *
 * @returns undefined when none is named
 * @throws {SettingError} when it cannot be read or is no config file
 */
export async function loadConfig(
  { flags, environment, machine, folder }: Pick<
    SettingInputs,
    "flags" | "environment" | "machine" | "folder"
  >,
): Promise<ConfigFile | undefined> {
  // Only `config` is looked at: what is wrong with the other settings is said once everything is there.
  const given = flags.get("config");
  const only: GivenFlags = new Map(given === undefined ? [] : [["config", given]]);
  const { settings } = resolveSettings({
    flags: only,
    environment: {
      get: (name) => name === "POSTERN_CONFIG" ? environment.get(name) : undefined,
    },
    machine,
  });
  const { config } = absolutePaths(settings, folder);
  return config === undefined ? undefined : await readConfig(config);
}
