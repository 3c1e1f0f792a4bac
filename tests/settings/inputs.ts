/** Inputs for settings in tests: everything absent unless it is named. */

import { type ConfigFile, parseConfig } from "../../lib/settings/config_file.ts";
import type { SettingName } from "../../lib/settings/definition.ts";
import type { SettingInputs } from "../../lib/settings/resolve.ts";

/** What a test names. */
export interface Given {
  readonly flags?: Partial<Record<SettingName, readonly string[]>>;
  readonly kept?: Record<string, string>;
  readonly environment?: Record<string, string>;
  /** TOML, of a file called `postern.toml`. */
  readonly config?: string;
}

/** Makes inputs of what is given, on a machine called `test.example` with 2 cores. */
export function inputs({ flags = {}, kept = {}, environment = {}, config }: Given): SettingInputs {
  const variables = new Map(Object.entries(environment));
  return {
    flags: new Map(Object.entries(flags) as [SettingName, readonly string[]][]),
    kept: new Map(Object.entries(kept)),
    environment: variables,
    config: config === undefined ? undefined : toml(config),
    machine: { hostName: "test.example", cores: 2 },
  };
}

/** A config file called `postern.toml`. */
export function toml(source: string): ConfigFile {
  return parseConfig(source, "postern.toml");
}
