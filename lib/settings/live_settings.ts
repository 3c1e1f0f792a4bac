/** The settings in force: what SET, GET, SETTINGS and RELOAD work on while the server runs. */

import type { ConfigFile } from "./config_file.ts";
import { absolutePaths } from "./absolute_paths.ts";
import { flagName, settingKey, type SettingName } from "./definition.ts";
import { definitionOf, isLive, settingByKey, settingNames } from "./definitions.ts";
import { InvalidValueError, NotSettableError, UnknownKeyError } from "./errors.ts";
import { settingEntries, type SettingEntry } from "./print_config.ts";
import { quote } from "../bytes/quote.ts";
import {
  readValue,
  type ResolvedSettings,
  resolveSettings,
  type SettingInputs,
  type SettingSource,
  showSetting,
  showValue,
} from "./resolve.ts";
import type { Settings } from "../contracts/settings.ts";
import { didYouMean } from "./suggest.ts";
import { checkTogether } from "./together.ts";

/** A setting that has another value now. */
export interface SettingChange {
  readonly name: SettingName;
  /** As SET names it. */
  readonly key: string;
  readonly before: string;
  readonly after: string;
  readonly source: SettingSource;
}

/**
 * Called after a change, with the settings that are in force now. What it returns is awaited before SET is answered. When it throws,
 * the change is taken back: it must then have changed nothing.
 */
export type SettingsListener = (
  changes: readonly SettingChange[],
  settings: Settings,
) => void | Promise<void>;

/**
 * Checks of the world outside, such as whether a folder can be read.
 *
 * Each gets the value and the settings that would be in force, and returns undefined when all is well, else what was expected, as it
 * follows the word "expected".
 */
export type SettingChecks = {
  readonly [K in SettingName]?: (
    value: Settings[K],
    settings: Settings,
  ) => Promise<string | undefined>;
};

/** What {@linkcode LiveSettingsRegistry} needs. */
export interface LiveSettingsOptions {
  /** What the settings are decided from at the start. */
  readonly inputs: SettingInputs;
  /** Keeps a value for the next start, before the change takes effect; when it throws, nothing changes. */
  readonly keep: (key: string, text: string) => Promise<void>;
  /** Takes back the first value that was ever kept for a key. */
  readonly forget?: (key: string) => Promise<unknown>;
  readonly checks?: SettingChecks;
}

/** What came of a {@linkcode LiveSettingsRegistry.set}. */
export interface SetOutcome {
  readonly change: SettingChange;
  readonly warnings: readonly string[];
}

/** What came of a {@linkcode LiveSettingsRegistry.reload}. */
export interface ReloadOutcome {
  readonly changes: readonly SettingChange[];
  readonly warnings: readonly string[];
}

/** The settings in force. Changes happen one after the other, in the order in which they were asked for. */
export class LiveSettingsRegistry {
  readonly #keep: (key: string, text: string) => Promise<void>;
  readonly #forget: (key: string) => Promise<unknown>;
  readonly #checks: SettingChecks;
  readonly #listeners = new Set<SettingsListener>();
  readonly #changed = new Map<string, string>();
  /** What was said already; a reload does not say it again. */
  readonly #said: Set<string>;
  #inputs: SettingInputs;
  #resolved: ResolvedSettings;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws {SettingError} when what was given is no valid configuration */
  constructor(options: LiveSettingsOptions) {
    const { inputs, keep, forget = () => Promise.resolve(), checks = {} } = options;
    this.#keep = keep;
    this.#forget = forget;
    this.#checks = checks;
    this.#inputs = inputs;
    this.#resolved = resolveSettings(inputs);
    this.#said = new Set(this.#resolved.warnings);
  }

  /** A snapshot that never changes, with whole paths; a session keeps the one that it began with. */
  get settings(): Settings {
    return absolutePaths(this.#resolved.settings, this.#inputs.folder);
  }

  /** What was unwise at the start, as sentences for the log. */
  get warnings(): readonly string[] {
    return this.#resolved.warnings;
  }

  /** Every setting with its value and where it came from, secrets hidden. */
  entries(): SettingEntry[] {
    return settingEntries(this.#resolved);
  }

  /**
   * A setting's value as text, secrets hidden.
   *
   * @param key as SET names it; case matters
   * @throws {UnknownKeyError}
   */
  get(key: string): string {
    const name = settingByKey(key);
    if (name === undefined) throw unknownKey(key, settingNames);
    return showSetting(name, this.#resolved.settings);
  }

  /**
   * Asks the {@linkcode SettingChecks} about the values in force, as a start must.
   *
   * @throws {InvalidValueError} at the first that is refused
   */
  async check(): Promise<void> {
    for (const name of settingNames) {
      if (isLive(name)) await this.#ask(name, this.#resolved.settings);
    }
  }

  /**
   * Changes a setting, and keeps the change for the next start.
   *
   * @param key such as `max_users`; case matters
   * @param text its value
   * @throws {UnknownKeyError} unknown setting so
   * @throws {NotSettableError} it stands from start to end
   * @throws {InvalidValueError} the value does not fit, or a check refused it
   */
  set(key: string, text: string): Promise<SetOutcome> {
    return this.#inTurn(() => this.#set(key, text));
  }

  /**
   * Takes another config file's values where neither SET nor flag nor environment says otherwise. Values that cannot change
   * while the server runs stay, with a warning.
   *
   * @param config undefined when there is none any more
   * @throws {SettingError} when a value does not fit; nothing has changed then
   */
  reload(config: ConfigFile | undefined): Promise<ReloadOutcome> {
    return this.#inTurn(() => this.#reload(config));
  }

  /**
   * Takes values that another server has kept for all. One that this server cannot take stays as it was here.
   *
   * @param kept texts by key
   * @returns the keys that could not be taken, each with the reason
   */
  adopt(kept: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    return this.#inTurn(async () => {
      const refused = new Map<string, string>();
      for (const [key, text] of kept) {
        if ((this.#changed.get(key) ?? this.#inputs.kept?.get(key)) === text) continue;
        try {
          await this.#set(key, text, false);
        } catch (error) {
          refused.set(key, error instanceof Error ? error.message : String(error));
        }
      }
      return refused;
    });
  }

  /** Calls a listener after every change; disposing ends that. */
  onChange(listener: SettingsListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async #set(key: string, text: string, keep = true): Promise<SetOutcome> {
    const name = settableName(key);
    const value = readValue(name, [text], key);
    const before = this.#resolved;
    const settings: Settings = Object.freeze({ ...before.settings, [name]: value });
    await this.#ask(name, settings);
    const warnings = [...warningOf(name, value), ...newIn(settings, before.settings)];
    const kept = this.#changed.get(key) ?? this.#inputs.kept?.get(key);
    if (keep) await this.#keep(key, text);

    this.#changed.set(key, text);
    const sources = new Map(before.sources).set(name, "set");
    this.#resolved = { ...before, settings, sources };
    const change = describe(name, before, this.#resolved);
    if (change.before === change.after) return { change, warnings };
    try {
      await this.#tell([change]);
    } catch (error) {
      this.#resolved = before;
      if (kept === undefined) {
        this.#changed.delete(key);
        if (keep) await this.#forget(key);
      } else {
        this.#changed.set(key, kept);
        if (keep) await this.#keep(key, kept);
      }
      throw error;
    }
    return { change, warnings };
  }

  async #reload(config: ConfigFile | undefined): Promise<ReloadOutcome> {
    const before = this.#resolved;
    const inputs = { ...this.#inputs, config, changed: this.#changed };
    const fresh = resolveSettings(inputs);
    const warnings = fresh.warnings.filter((warning) => !this.#said.has(warning));
    const values: Partial<Record<SettingName, unknown>> = { ...fresh.settings };
    const sources = new Map(fresh.sources);
    const changed: SettingName[] = [];
    for (const name of settingNames) {
      const same = sameValue(name, before.settings, fresh.settings);
      if (isLive(name)) {
        if (!same) changed.push(name);
      } else if (!same) {
        warnings.push(waits(name, before, fresh));
        values[name] = before.settings[name];
        sources.set(name, before.sources.get(name)!);
      }
    }
    const settings = Object.freeze(values) as unknown as Settings;
    for (const name of changed) await this.#ask(name, settings);

    this.#resolved = { settings, sources, warnings: before.warnings };
    const changes = changed.map((name) => describe(name, before, this.#resolved));
    try {
      if (changes.length > 0) await this.#tell(changes);
    } catch (error) {
      this.#resolved = before;
      throw error;
    }
    this.#inputs = inputs;
    for (const warning of warnings) this.#said.add(warning);
    return { changes, warnings };
  }

  async #ask(name: SettingName, settings: Settings): Promise<void> {
    const check = this.#checks[name] as
      | ((value: unknown, settings: Settings) => Promise<string | undefined>)
      | undefined;
    const expected = await check?.(settings[name], settings);
    if (expected === undefined) return;
    throw new InvalidValueError(
      `${settingKey(name)} ${quote(showValue(name, settings[name]))}: expected ${expected}`,
      expected,
    );
  }

  async #tell(changes: readonly SettingChange[]): Promise<void> {
    for (const listener of [...this.#listeners]) await listener(changes, this.settings);
  }

  /** Runs a change after those that were asked for before it, whether they went well or not. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined); // Whoever asked for it gets the error.
    return result;
  }
}

function unknownKey(key: string, names: readonly SettingName[]): UnknownKeyError {
  const hint = didYouMean(key, names.map(settingKey));
  return new UnknownKeyError(`unknown setting ${quote(key)}${hint}`);
}

function settableName(key: string): SettingName {
  const name = settingByKey(key);
  if (name === undefined) throw unknownKey(key, settingNames.filter(isLive));
  if (isLive(name)) return name;
  throw new NotSettableError(
    `${key} cannot change while the server runs: give it at the next start, as --${flagName(name)}`,
  );
}

function* warningOf(name: SettingName, value: unknown): Generator<string> {
  const warning = definitionOf(name).warn?.(value);
  if (warning !== undefined) yield `${settingKey(name)} ${showValue(name, value)} ${warning}`;
}

/** What is unwise in the new settings and was not in the old ones. */
function newIn(settings: Settings, before: Settings): string[] {
  const old = checkTogether(before);
  return checkTogether(settings).filter((warning) => !old.includes(warning));
}

function sameValue(name: SettingName, left: Settings, right: Settings): boolean {
  const { type } = definitionOf(name);
  return JSON.stringify([left[name] === undefined, type.write(left[name])]) ===
    JSON.stringify([right[name] === undefined, type.write(right[name])]);
}

function describe(
  name: SettingName,
  before: ResolvedSettings,
  after: ResolvedSettings,
): SettingChange {
  return {
    name,
    key: settingKey(name),
    before: showSetting(name, before.settings),
    after: showSetting(name, after.settings),
    source: after.sources.get(name)!,
  };
}

function waits(name: SettingName, before: ResolvedSettings, after: ResolvedSettings): string {
  const [from, to] = [before, after].map(({ settings }) => showValue(name, settings[name]));
  return from === to
    ? `${settingKey(name)} waits for the next start with its change`
    : `${settingKey(name)} stays ${from} until the next start, and is ${to} then`;
}
