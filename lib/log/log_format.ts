/** A log line as text for people or as JSON for programs; nothing in it can break out of its line. */

import { ExpectedError } from "../contracts/expected_error.ts";
import { printable } from "../bytes/printable.ts";

/** The levels of a log, the least important first. */
export const LOG_LEVELS = ["trace", "debug", "info", "warning", "error", "fatal"] as const;

/** How important a log line is. */
export type LogLevel = typeof LOG_LEVELS[number];

/** A log line as plain data: it can be sent from a worker by `postMessage`. */
export interface LogLine {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: LogLevel;
  /** The category's names joined by dots, without the leading `postern`. */
  readonly category: string;
  /** The message with its values filled in. */
  readonly message: string;
  /** Everything else that is known, by name. Only what `structuredClone` takes. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** The message before; the text format does not repeat the properties that it names in braces. */
  readonly template: string;
}

/** Characters of one value that are kept; a client must not be able to fill a disk by one name. */
const LONGEST_VALUE = 2048;
/** Characters of a whole message that the text format shows. */
const LONGEST_MESSAGE = 8192;

/** What JSON leaves as it is, though a terminal or a line reader would act on it. */
const UNSAFE_IN_JSON = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The keys of a JSON line that properties may not take; such a property gets `_` behind its name. */
const RESERVED = new Set(["time", "level", "category", "message"]);

const LABELS: Readonly<Record<LogLevel, string>> = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO ",
  warning: "WARN ",
  error: "ERROR",
  fatal: "FATAL",
};

/** Cuts what is far too long. */
function bounded(text: string): string {
  return text.length <= LONGEST_VALUE
    ? text
    : `${text.slice(0, LONGEST_VALUE)}… (${text.length - LONGEST_VALUE} more)`;
}

/** A value as JSON takes it: errors as objects, numbers that JSON lacks as text, nothing that throws. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "string") return bounded(value);
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") {
    return bounded(String(value));
  }
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Error) {
    if (value instanceof ExpectedError) return expected(value);
    const cause = value.cause === undefined ? {} : { cause: value.cause };
    return { name: value.name, message: value.message, stack: value.stack, ...cause };
  }
  return value;
}

/** Neither it nor what it came from needs a stack. */
function expected({ name, message, cause }: ExpectedError): Record<string, unknown> {
  return { name, message, ...cause instanceof Error && { cause: cause.message } };
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value, plain) ?? "null";
  } catch (error) {
    return JSON.stringify(`(not shown: ${error instanceof Error ? error.message : "no JSON"})`);
  }
}

/** A value as it stands inside a message. */
export function valueInMessage(value: unknown): string {
  if (typeof value === "string") return bounded(value);
  if (value instanceof Error) return bounded(value.message);
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  return typeof value === "object" && value !== null ? json(value) : bounded(String(value));
}

/** A word that shows where it ends, when control characters stand visible. */
const PLAIN_WORD = /^[^\p{Zs}"<>=]+$/u;

/** Properties whose value is a client's own words, or may be. They stand quoted, and behind what is ours. */
const SAID_BY_CLIENTS: ReadonlySet<string> = new Set(["user", "name", "target", "arguments"]);

/**
 * A client's words as they stand inside a message: in quotes, with quotes among them doubled, where they could be taken for ours.
 * Whoever is called `root from 203.0.113.9` must not write that into the log.
 */
export function clientWords(text: string): string {
  const words = bounded(text);
  return PLAIN_WORD.test(words) ? words : `"${words.replaceAll('"', '""')}"`;
}

/** A named value as it stands inside a message. */
export function namedValueInMessage(name: string | undefined, value: unknown): string {
  return typeof value === "string" && SAID_BY_CLIENTS.has(name ?? "")
    ? clientWords(value)
    : valueInMessage(value);
}

/** A value as it stands behind `name=`: quoted where it would be hard to tell where it ends. */
function valueInPair(value: unknown): string {
  const text = printable(valueInMessage(value), LONGEST_VALUE);
  // A list or record shows by its brackets where it ends; quoting its quotes would make it unreadable.
  if (typeof value === "object" && /^[[{].*[\]}]$/.test(text)) return text;
  return /^[^\s"=]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

/** Ours first. */
function inOrder(properties: LogLine["properties"]): [string, unknown][] {
  const entries = Object.entries(properties);
  const isTheirs = ([name]: [string, unknown]): boolean => SAID_BY_CLIENTS.has(name);
  return [...entries.filter((entry) => !isTheirs(entry)), ...entries.filter(isTheirs)];
}

/**
 * The line for people, with the time in UTC. What a terminal would act on stands as `\\x1b` and the like.
 *
 * @returns one line with its line feed; an error at level `error` or `fatal` adds indented lines with its stack
 *
 * @example
 * ```
 * 2026-01-31 12:00:00.250 INFO  [pop3] alice logged in session=17
 * ```
 */
export function textLine(line: LogLine): string {
  const time = new Date(line.time).toISOString().replace("T", " ").slice(0, 23);
  const message = printable(line.message, LONGEST_MESSAGE);
  let text = `${time} ${LABELS[line.level]} [${printable(line.category)}] ${message}`;
  let stack = "";
  for (const [name, value] of inOrder(line.properties)) {
    if (value === undefined) continue;
    if (
      value instanceof Error && value.stack && (line.level === "error" || line.level === "fatal")
    ) {
      for (const row of value.stack.split("\n")) stack += `    ${printable(row.trim())}\n`;
    }
    const said = value instanceof Error && value.message === line.message;
    if (!said && !line.template.includes(`{${name}}`)) {
      text += ` ${printable(name)}=${valueInPair(value)}`;
    }
  }
  return `${text}\n${stack}`;
}

/**
 * The line for programs: one JSON object with `time` (ISO 8601, UTC), `level`, `category`, `message` and the properties beside them.
 *
 * @returns one line with its line feed, in which every control character stands as `\uXXXX`
 */
export function jsonLine(line: LogLine): string {
  const object: Record<string, unknown> = {
    time: new Date(line.time).toISOString(),
    level: line.level,
    category: line.category,
    message: line.message,
  };
  for (const [name, value] of Object.entries(line.properties)) {
    object[RESERVED.has(name) ? `${name}_` : name] = value;
  }
  let text = json(object);
  // One property that cannot be shown must not cost the whole line.
  if (!text.startsWith("{")) {
    for (const name of Object.keys(object)) object[name] = JSON.parse(json(object[name]));
    text = json(object);
  }
  return `${text.replace(UNSAFE_IN_JSON, escapeForJson)}\n`;
}

function escapeForJson(character: string): string {
  let escaped = "";
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
