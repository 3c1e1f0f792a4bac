/** Finds and reads the config file that flags or environment name. */

import { type ConfigFile, readConfig } from "./config_file.ts";
import { type GivenFlags, resolveSettings, type SettingInputs } from "./resolve.ts";

/**
 * Reads the file of `--config` or `POSTERN_CONFIG`.
 *
 * @returns undefined when none is named
 * @throws {SettingError} when it cannot be read or is no config file
 */
export async function loadConfig(
  { flags, environment, machine }: Pick<SettingInputs, "flags" | "environment" | "machine">,
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
  return settings.config === undefined ? undefined : await readConfig(settings.config);
}
