/** What is known of a setting, once: everything that reads, shows or explains settings is made from it. */

import type { LiveSettings, Settings } from "./settings.ts";
import type { ValueType } from "./types/value_type.ts";

/** A setting's name in the program, such as `maxConnections`. */
export type SettingName = keyof Settings;

/** A setting that SET can change. */
export type LiveSettingName = keyof LiveSettings;

/** What defaults may depend on. */
export interface Machine {
  readonly hostName: string;
  readonly cores: number;
}

/** What is known of one setting. */
export interface SettingDefinition<T> {
  readonly type: ValueType<T>;
  readonly default: T | ((machine: Machine) => T);
  /** What it does, in one sentence without a capital or a full stop. */
  readonly help: string;
  /** The default in words, where its text does not say enough; also what is shown while nothing is set. */
  readonly defaultText?: string;
  /** The flag's short form. */
  readonly letter?: string;
  /** Present where SET can change it while the server runs. */
  readonly live?: true;
  /** Present where it can be no environment variable. */
  readonly environment?: false;
  /** Present where the config file cannot hold it. */
  readonly config?: false;
  /** Says what is unwise about a value that is allowed, as a sentence's end after the key and the value. */
  warn?(value: T): string | undefined;
}

/** A definition for every setting: one that is missing, or one too many, does not compile. */
export type Definitions = {
  readonly [K in SettingName]:
    & SettingDefinition<Settings[K]>
    & (K extends LiveSettingName ? { readonly live: true } : { readonly live?: never });
};

/** Splits `maxConnectionsPerIp` at its capitals. */
function words(name: SettingName): string[] {
  return name.replaceAll(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`).split(" ");
}

/** The name for SET, GET and the config file: `max_connections_per_ip`. */
export function settingKey(name: SettingName): string {
  return words(name).join("_");
}

/** The flag's name without its dashes, also good in the config file: `max-connections-per-ip`. */
export function flagName(name: SettingName): string {
  return words(name).join("-");
}

/** The environment's name: `POSTERN_MAX_CONNECTIONS_PER_IP`. */
export function environmentName(name: SettingName): string {
  return `POSTERN_${settingKey(name).toUpperCase()}`;
}
