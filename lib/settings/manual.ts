/** The manual page of all settings, `docs/settings.md`, made from the definitions; `deno task docs` writes it. */

import { environmentName, flagName, settingKey, type SettingName } from "./definition.ts";
import { definitionOf, groups, isLive } from "./definitions.ts";

const head = `# Settings

This page is made by \`deno task docs\` from the definitions in \`lib/settings/definitions/\`.

Every setting is a flag of \`postern serve\`. It is also a variable of the environment (\`--max-users\`
as \`POSTERN_MAX_USERS\`; the words of a repeatable one have blanks between them) and a line of the
config file (\`max-users = 100\` or \`max_users = 100\`; a repeatable one is an array). Those with a key
can be changed while the server runs (\`SET max_users 100\` on the management port), and stay so after
a restart. A change takes effect at once, or for sessions that begin after it (next session); those
without a key need a restart.

What wins at the start: flag, value set while the server ran, environment, config file, default. A
flag that overrides a value set while the server ran says so in a warning. While it runs, SET wins;
SIGHUP reads the config file again and undoes no SET.
`;

/** The page as Markdown, formatted as `deno fmt` would. */
export function manual(): string {
  const sections = groups.map(({ title, names }) => {
    const rows = names.map((name) => row(name));
    return `## ${title}\n\n${table(["Flag", "Key", "Takes effect", "Default", "Meaning"], rows)}\n`;
  });
  return [head, ...sections].join("\n");
}

function row(name: SettingName): string[] {
  const { type, letter, takesEffect } = definitionOf(name);
  const short = letter === undefined ? "" : `\`-${letter}\`, `;
  const value = type.placeholder === "" ? "" : ` ${type.placeholder}`;
  return [
    `${short}\`--${flagName(name)}${value}\`${type.repeatable ? " …" : ""}`,
    isLive(name) ? `\`${settingKey(name)}\`` : "",
    takesEffect,
    defaultCell(name),
    meaning(name),
  ];
}

function defaultCell(name: SettingName): string {
  const { type, default: byDefault, defaultText } = definitionOf(name);
  return defaultText ?? `\`${type.write(byDefault).join(" ")}\``;
}

function meaning(name: SettingName): string {
  const { type, help, environment, config } = definitionOf(name);
  const sentences = [help, `expected: ${type.expected}`];
  if (environment === false) sentences.push(`not from the environment`);
  if (config === false) {
    sentences.push(`not from the file itself; \`${environmentName(name)}\` works`);
  }
  return `${sentences.map(capital).join(". ")}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A table whose columns are as wide as their widest cell. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [titles, ...rows].map((cells) =>
    cells.map((cell) => cell.replaceAll("|", "\\|"))
  );
  const widths = titles.map((_, column) =>
    Math.max(...escaped.map((cells) => cells[column]!.length))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(escaped[0]!), rule, ...escaped.slice(1).map(line)].join("\n");
}
