/** Decides every setting among flag, kept value, environment, config file and default. */

import type { ConfigFile } from "./config_file.ts";
import {
  environmentName,
  flagName,
  type Machine,
  settingKey,
  type SettingName,
} from "./definition.ts";
import { definitionOf, isLive, settingByKey, settingNames } from "./definitions.ts";
import { InvalidValueError } from "./errors.ts";
import { quote } from "../bytes/quote.ts";
import type { Settings } from "../contracts/settings.ts";
import { checkTogether } from "./together.ts";
import { InvalidText } from "./types/value_type.ts";

/** Where a value came from; `set` is a value of SET, kept from an earlier run or not. */
export type SettingSource = "flag" | "set" | "environment" | "config" | "default";

/** Flags as they were given, by setting. */
export type GivenFlags = ReadonlyMap<SettingName, readonly string[]>;

/** All that settings are decided from. */
export interface SettingInputs {
  readonly flags: GivenFlags;
  /** What SET changed since the start, by key. It wins over everything. */
  readonly changed?: ReadonlyMap<string, string>;
  /** What SET changed in earlier runs, by key (`max_users`). */
  readonly kept?: ReadonlyMap<string, string>;
  /** `Deno.env` will do. */
  readonly environment: { get(name: string): string | undefined };
  readonly config?: ConfigFile | undefined;
  readonly machine: Machine;
  /** The working directory at the start, which relative paths start from. @default {they stay relative} */
  readonly folder?: string;
}

/** What came out. */
export interface ResolvedSettings {
  readonly settings: Settings;
  readonly sources: ReadonlyMap<SettingName, SettingSource>;
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/** A value that was given somewhere. */
interface Given {
  readonly source: SettingSource;
  readonly texts: readonly string[];
  /** How an error names the place: `--port`, `POSTERN_PORT`, `postern.toml:3: port`, `port`. */
  readonly place: string;
}

/**
 * Decides every setting (operations.md, "One program").
 *
 * @throws {SettingError} one line that names the place and what was expected; never for a kept value, which is
 *   left out with a warning, so that an old state file cannot keep the server from starting
 */
export function resolveSettings(inputs: SettingInputs): ResolvedSettings {
  const warnings: string[] = [...unusableKeys(inputs)];
  const sources = new Map<SettingName, SettingSource>();
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of settingNames) {
    const { value, source } = decide(name, inputs, warnings);
    values[name] = value;
    sources.set(name, source);
    const warning = definitionOf(name).warn?.(value);
    if (warning !== undefined && source !== "default") {
      warnings.push(`${settingKey(name)} ${showValue(name, value)} ${warning}`);
    }
  }
  const settings = Object.freeze(values) as unknown as Settings;
  warnings.push(...checkTogether(settings));
  return { settings, sources, warnings };
}

/**
 * Reads one setting's texts.
 *
 * @param place how an error names it
 * @throws {InvalidValueError}
 */
export function readValue(name: SettingName, texts: readonly string[], place: string): unknown {
  const { type } = definitionOf(name);
  try {
    return type.read(texts);
  } catch (error) {
    if (!(error instanceof InvalidText)) throw error;
    const shown = type.mask === undefined ? ` ${quote(error.text)}` : "";
    throw new InvalidValueError(
      `${place}${shown}: expected ${error.message}`,
      error.message,
      // The cause of a secret's refusal would carry the secret.
      type.mask === undefined ? { cause: error } : undefined,
    );
  }
}

/** A value as text, secrets hidden, lists with blanks between; where there is none, what that means. */
export function showValue(name: SettingName, value: unknown): string {
  const { type, defaultText } = definitionOf(name);
  const texts = type.write(value);
  if (texts.length === 0) {
    return value === undefined || !type.repeatable ? defaultText ?? "" : unset(name);
  }
  return texts.map((text) => type.mask?.(text) ?? text).join(" ");
}

/** A setting's value in force as text, secrets hidden. */
export function showSetting(name: SettingName, settings: Settings): string {
  const value: unknown = settings[name];
  return showValue(name, value === undefined ? definitionOf(name).effective?.(settings) : value);
}

/** An empty list means the default where that is an empty list, and else nothing at all. */
function unset(name: SettingName): string {
  const { default: byDefault, defaultText } = definitionOf(name);
  return Array.isArray(byDefault) && byDefault.length === 0 ? defaultText ?? "" : "nowhere";
}

function decide(
  name: SettingName,
  inputs: SettingInputs,
  warnings: string[],
): { value: unknown; source: SettingSource } {
  const changed = inputs.changed?.get(settingKey(name));
  if (changed !== undefined) {
    return { value: readValue(name, [changed], settingKey(name)), source: "set" };
  }
  const kept = readKept(name, inputs, warnings);
  const flag = inputs.flags.get(name);
  if (flag !== undefined) {
    const value = readValue(name, flag, `--${flagName(name)}`);
    if (kept !== undefined && showValue(name, kept.value) !== showValue(name, value)) {
      warnings.push(
        `--${flagName(name)} ${showValue(name, value)} overrides ${settingKey(name)} ${
          showValue(name, kept.value)
        }, which was set while the server ran`,
      );
    }
    return { value, source: "flag" };
  }
  if (kept !== undefined) return { value: kept.value, source: "set" };
  const given = fromEnvironment(name, inputs) ?? fromConfig(name, inputs);
  if (given !== undefined) {
    return { value: readValue(name, given.texts, given.place), source: given.source };
  }
  const { default: byDefault } = definitionOf(name);
  const value = typeof byDefault === "function" ? byDefault(inputs.machine) : byDefault;
  return { value, source: "default" };
}

function readKept(
  name: SettingName,
  inputs: SettingInputs,
  warnings: string[],
): { value: unknown } | undefined {
  const text = inputs.kept?.get(settingKey(name));
  if (text === undefined || !isLive(name)) return undefined;
  try {
    return { value: readValue(name, [text], settingKey(name)) };
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    warnings.push(`ignoring a saved setting: ${error.message}`);
    return undefined;
  }
}

/** Kept values that no setting of this version can take. */
function* unusableKeys({ kept }: SettingInputs): Generator<string> {
  for (const key of kept?.keys() ?? []) {
    const name = settingByKey(key);
    if (name === undefined || !isLive(name)) {
      yield `ignoring a saved setting: ${
        quote(key)
      } is no setting that changes while the server runs`;
    }
  }
}

function fromEnvironment(name: SettingName, { environment }: SettingInputs): Given | undefined {
  const { type, environment: allowed } = definitionOf(name);
  if (allowed === false) return undefined;
  const place = environmentName(name);
  const text = environment.get(place);
  // Compose files and unit files pass variables that are there but empty; that is no value.
  if (text === undefined || text === "") return undefined;
  const texts = type.repeatable ? text.split(/\s+/).filter((word) => word !== "") : [text];
  return { source: "environment", texts, place };
}

function fromConfig(name: SettingName, { config }: SettingInputs): Given | undefined {
  const entry = config?.entries.get(name);
  if (entry === undefined) return undefined;
  return {
    source: "config",
    texts: entry.texts,
    place: `${entry.place}: ${settingKey(name)}`,
  };
}
