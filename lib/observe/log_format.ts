/** A log line as text for people or as JSON for programs; nothing in it can break out of its line. */

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
  /** Names of the properties that `message` shows already; the text format does not repeat them. */
  readonly shown: readonly string[];
}

/** Characters of one value that are kept; a client must not be able to fill a disk by one name. */
const LONGEST_VALUE = 2048;

/** C0 and C1 controls, DEL, line and paragraph separators, marks that turn the direction of writing, and the BOM. */
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

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

/** Writes what a terminal or a line reader would act on as `\u001b` and the like. */
function harmless(text: string): string {
  return text.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

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
    const cause = value.cause === undefined ? {} : { cause: value.cause };
    return { name: value.name, message: value.message, stack: value.stack, ...cause };
  }
  return value;
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

/** A value as it stands behind `name=`: quoted where it would be hard to tell where it ends. */
function valueInPair(value: unknown): string {
  const text = valueInMessage(value);
  return /^[^\s"=\\]+$/.test(text) ? text : JSON.stringify(text);
}

/**
 * The line for people: local to nothing but itself, times in UTC.
 *
 * @returns one line with its line feed; an error at level `error` or `fatal` adds indented lines with its stack
 *
 * @example
 * ```
 * 2026-01-31 12:00:00.250 INFO  [pop3] alice logged in session=17
 * ```
 */
export function textLine(line: LogLine): string {
  const time = new Date(line.time).toISOString();
  let text = `${time.slice(0, 10)} ${time.slice(11, 23)} ${LABELS[line.level]} [${line.category}] ${
    bounded(line.message)
  }`;
  let stack = "";
  for (const [name, value] of Object.entries(line.properties)) {
    if (value === undefined) continue;
    if (
      value instanceof Error && value.stack && (line.level === "error" || line.level === "fatal")
    ) {
      for (const row of value.stack.split("\n")) stack += `    ${harmless(bounded(row.trim()))}\n`;
    }
    const said = value instanceof Error && value.message === line.message;
    if (!said && !line.shown.includes(name)) text += ` ${name}=${valueInPair(value)}`;
  }
  return `${harmless(text)}\n${stack}`;
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
  return `${harmless(text)}\n`;
}
