/** The config file: TOML, or JSON, with the same names as the flags. */

import { fileErrorReason } from "../files/file_error.ts";
import { parse, TomlError, type TomlValue } from "smol-toml";
import { environmentName, flagName, type SettingName } from "./definition.ts";
import { definitionOf, settingByKey, settingNames } from "./definitions.ts";
import { SettingError } from "./errors.ts";
import { type JsonValue, parseJsonConfig } from "./json_config.ts";
import { quote } from "../bytes/quote.ts";
import { didYouMean } from "./suggest.ts";
import type { TomlKind } from "./types/value_type.ts";

/** What one key of a config file holds. */
export interface ConfigEntry {
  readonly texts: readonly string[];
  /** Where it stands, `postern.toml:3`; without the line where that cannot be told. */
  readonly place: string;
}

/** What a config file holds. */
export interface ConfigFile {
  /** The name under which it was opened. */
  readonly name: string;
  readonly entries: ReadonlyMap<SettingName, ConfigEntry>;
}

/** The line of a top-level key, counted from 1. The parser tells lines of bad syntax only. */
function lineOf(key: string, source: string): number | undefined {
  const index = source.split("\n").findIndex((line) => {
    const written = /^\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*[=.]|^\s*\[+\s*([\w-]+)/.exec(line);
    return written !== null && written.slice(1).includes(key);
  });
  return index < 0 ? undefined : index + 1;
}

/** A key with its value, and the line where it stands, where that can be told. */
interface WrittenEntry {
  readonly key: string;
  readonly value: TomlValue | JsonValue;
  readonly line: number | undefined;
}

type Kind = TomlKind | "float" | "null" | "array" | "date" | "table";

function kindOf(value: TomlValue | JsonValue): Kind {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
    case "boolean":
      return typeof value as "string" | "boolean";
    case "bigint":
      return "integer";
    case "number":
      return "float";
    default:
      return Array.isArray(value) ? "array" : value instanceof Date ? "date" : "table";
  }
}

/** The texts of a value, or what should have been there. */
function textsOf(
  name: SettingName,
  value: TomlValue | JsonValue,
): readonly string[] | { expected: string } {
  const { type } = definitionOf(name);
  const one = type.toml === "integer" ? "an integer" : `a ${type.toml}`;
  if (type.repeatable && Array.isArray(value)) {
    if (value.every((item: TomlValue | JsonValue) => kindOf(item) === type.toml)) {
      return value.map(String);
    }
    return { expected: `an array of ${type.toml}s` };
  }
  if (kindOf(value) === type.toml) return [String(value)];
  return { expected: type.repeatable ? `${one} or an array of ${type.toml}s` : one };
}

/**
 * Reads a config file's text: JSON where its name ends in `.json` or `.jsonc`, else TOML. Values are checked for their type only; ranges are for who resolves the settings.
 *
 * @param source the file's text
 * @param name how errors name the file
 * @throws {SettingError} naming file and line: bad TOML or JSON, an unknown key, a wrong type, a key in two spellings
 */
export function parseConfig(source: string, name: string): ConfigFile {
  const text = source.replace(/^\ufeff/, "");
  const entries = new Map<SettingName, ConfigEntry>();
  const isJson = /\.jsonc?$/i.test(name);
  for (
    const { key, value, line } of isJson ? parseJsonConfig(text, name) : tomlEntries(text, name)
  ) {
    const place = line === undefined ? name : `${name}:${line}`;
    const setting = settingByKey(key.replaceAll("-", "_"));
    if (setting === undefined || definitionOf(setting).config === false) {
      throw new SettingError(`${place}: ${refuseKey(key, setting)}`);
    }
    if (entries.has(setting)) {
      throw new SettingError(
        `${place}: ${quote(key)} stands here a second time, spelled otherwise`,
      );
    }
    const texts = textsOf(setting, value);
    if ("expected" in texts) {
      throw new SettingError(
        `${place}: ${key} is ${article(kindOf(value), isJson)}; expected ${texts.expected}`,
      );
    }
    entries.set(setting, { texts, place });
  }
  return { name, entries };
}

/** A kind of value as its language calls it, with its article. */
function article(kind: Kind, isJson: boolean): string {
  if (kind === "null") return kind;
  const noun = isJson && kind === "table"
    ? "object"
    : isJson && kind === "float"
    ? "fraction"
    : kind;
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

function tomlEntries(text: string, name: string): readonly WrittenEntry[] {
  return Object.entries(parseToml(text, name))
    .map(([key, value]) => ({ key, value, line: lineOf(key, text) }));
}

function refuseKey(key: string, setting: SettingName | undefined): string {
  if (setting !== undefined) {
    return `${key} cannot stand in the config file; give it as --${flagName(setting)} or ${
      environmentName(setting)
    }`;
  }
  const keys = settingNames.filter((name) => definitionOf(name).config !== false).map(flagName);
  return `unknown setting ${quote(key)}${didYouMean(key.replaceAll("_", "-"), keys)}`;
}

function parseToml(text: string, name: string): Record<string, TomlValue> {
  try {
    return parse(text, { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The message goes on with the lines around the place, which a log line has no room for.
    const what = error.message.split("\n", 1)[0]!.replace("Invalid TOML document: ", "");
    throw new SettingError(`${name}:${error.line}: invalid TOML: ${what}`, { cause: error });
  }
}

/**
 * Reads a config file.
 *
 * @throws {SettingError} also when the file cannot be read
 */
export async function readConfig(path: string): Promise<ConfigFile> {
  let source: string;
  try {
    source = new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (error) {
    throw new SettingError(
      `the config file ${quote(path)} cannot be read: ${whyUnreadable(error)}`,
      { cause: error },
    );
  }
  return parseConfig(source, path);
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof TypeError) return "it is not UTF-8";
  return fileErrorReason(error);
}
