/** What is known of a setting, once: everything that reads, shows or explains settings is made from it. */

import type { SessionSettings, Settings } from "../contracts/settings.ts";
import type { ValueType } from "./types/value_type.ts";

/** A setting's name in the program, such as `maxConnections`. */
export type SettingName = keyof Settings;

/** When a changed value is used: at once, by sessions that begin later, or only by the next start. SET takes the first two kinds. */
export type TakesEffect = "now" | "next session" | "next start";

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
  /** What applies while nothing is set, where that depends on other settings; shown as the value. */
  effective?(settings: Settings): T;
  /** The flag's short form. */
  readonly letter?: string;
  readonly takesEffect: TakesEffect;
  /** Present where session workers are told of it. */
  readonly session?: true;
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
    & (K extends keyof SessionSettings ? { readonly session: true } : { readonly session?: never });
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
