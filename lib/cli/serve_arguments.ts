/** The arguments of `postern serve`, and its help, both made from the settings' definitions. */

import { flagName, type SettingName } from "../settings/definition.ts";
import {
  definitionOf,
  groups,
  isLive,
  settingByFlag,
  settingNames,
} from "../settings/definitions.ts";
import { quote } from "../bytes/quote.ts";
import type { GivenFlags } from "../settings/resolve.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { type HelpLine, helpSection, paragraph } from "./help.ts";
import { UsageError } from "./usage_error.ts";

/** What the arguments of `serve` ask for. */
export type ServeArguments =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "print-config"; readonly flags: GivenFlags }
  | { readonly kind: "serve"; readonly flags: GivenFlags; readonly newState: boolean };

const ownFlags: readonly (Flag & { readonly help: string })[] = [
  {
    name: "print-config",
    placeholder: "",
    repeatable: false,
    help: "show every setting and where its value comes from, and exit",
  },
  {
    name: "new-state",
    placeholder: "",
    repeatable: false,
    help: "set an empty or damaged state file aside and begin without users",
  },
  {
    name: "help",
    letter: "h",
    placeholder: "",
    repeatable: false,
    help: "show this help and exit",
  },
  {
    name: "version",
    letter: "v",
    placeholder: "",
    repeatable: false,
    help: "show the version and exit",
  },
];

function settingFlag(name: SettingName): Flag {
  const { type, letter } = definitionOf(name);
  return {
    name: flagName(name),
    letter,
    placeholder: type.placeholder,
    repeatable: type.repeatable,
  };
}

const serveFlags: readonly Flag[] = [...settingNames.map(settingFlag), ...ownFlags];

/**
 * Reads the arguments of `serve` (without the word itself). Values are not checked yet; `resolveSettings` does that.
 *
 * @throws {UsageError} one line that says what is wrong and what was expected
 */
export function parseServeArguments(args: readonly string[]): ServeArguments {
  const asked = askedFor(args);
  if (asked !== undefined) return { kind: asked };
  const { values, rest } = parseFlags(args, serveFlags);
  if (rest.length > 0) {
    throw new UsageError(
      `unexpected argument ${quote(rest[0]!)}: expected flags only; see postern serve -h`,
    );
  }
  const flags = new Map<SettingName, readonly string[]>();
  for (const [flag, texts] of values) {
    const name = settingByFlag(flag);
    if (name !== undefined) flags.set(name, texts);
  }
  const newState = isOn(values, "new-state");
  return isOn(values, "print-config")
    ? { kind: "print-config", flags }
    : { kind: "serve", flags, newState };
}

/** Who asks for help gets it, whatever else stands on the line. */
function askedFor(args: readonly string[]): "help" | "version" | undefined {
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  if (flags.some((arg) => arg === "-h" || arg === "--help")) return "help";
  if (flags.some((arg) => arg === "-v" || arg === "--version")) return "version";
  return undefined;
}

function isOn(values: ReadonlyMap<string, readonly string[]>, name: string): boolean {
  const texts = values.get(name);
  if (texts === undefined) return false;
  if (texts[0] !== "true") throw new UsageError(`--${name} does not take a value`);
  return true;
}

/** The help text of `serve`, at most 80 columns wide, ending with a line end. */
export function serveHelp(): string {
  const sections = groups.map(({ title, names }) =>
    helpSection(title, names.map((name) => helpLine(name)))
  );
  const own = helpSection(
    "Other",
    ownFlags.map(({ name, letter, help }) => ({ flag: spell(name, letter, "", false), help })),
  );
  return [
    "Usage: postern [serve] [flags]",
    "Serves the mailboxes of a folder over POP3.",
    ...sections,
    own,
    paragraph(
      "Flags marked … can be repeated. Those marked * can be changed while the server runs (SET on the management " +
        "port). Every flag except -u and -a can be given in the environment (--max-users as POSTERN_MAX_USERS), " +
        "and every flag in the config file (max-users = 100).",
    ),
    "Precedence: flag, value set at run time, environment, config file, default.",
  ].join("\n\n") + "\n";
}

function spell(
  name: string,
  letter: string | undefined,
  placeholder: string,
  repeatable: boolean,
): string {
  const short = letter === undefined ? "    " : `-${letter}, `;
  const value = placeholder === "" ? "" : ` ${placeholder}`;
  return `${short}--${name}${value}${repeatable ? " …" : ""}`;
}

function helpLine(name: SettingName): HelpLine {
  const { type, letter, help } = definitionOf(name);
  const text = type.toml === "boolean" ? help : `${help}${described(name)}`;
  return {
    flag: spell(flagName(name), letter, type.placeholder, type.repeatable),
    help: `${isLive(name) ? "* " : ""}${text}`,
  };
}

function described(name: SettingName): string {
  const { type, default: byDefault, defaultText } = definitionOf(name);
  const text = defaultText ?? type.write(byDefault).join(" ");
  const zero = /0 \(.+\)$/.exec(type.expected)?.[0].replace(/0 \((.+)\)/, "; 0: $1") ?? "";
  return ` (default: ${text}${zero})`;
}
