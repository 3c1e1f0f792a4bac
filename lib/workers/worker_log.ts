/** Log lines of session workers: made small and harmless where they are made, and once more by the main thread, which believes nothing. */

import { LOG_LEVELS, type LogLevel, type LogLine, valueInMessage } from "../log/log_format.ts";
import { MessageBudget } from "./message_budget.ts";
import { type Reader, record } from "./value_readers.ts";

/** The categories that a worker's lines can have; `audit`, `access` and all others are the main thread's. */
const CATEGORIES: ReadonlySet<string> = new Set(["lmtp", "mail", "net", "pop3", "transform"]);
const OTHER_CATEGORY = "pop3";
/** A worker ends no program. */
const GRAVEST: LogLevel = "error";

const MOST_PROPERTIES = 16;
const LONGEST_TEXT = 8192;
const LONGEST_VALUE = 2048;
const LONGEST_STACK = 4096;
const PROPERTY_NAME = /^[A-Za-z]\w{0,31}$/;
/** Milliseconds that a line may be older or newer than the moment in which it comes, however busy the threads are. */
const LONGEST_WAY = 60_000;

const anything: Reader<unknown> = (value) => value;
const fields = record({
  time: anything,
  level: anything,
  category: anything,
  message: anything,
  properties: anything,
  template: anything,
});

/** Reads a line leniently: an unusual one is no reason to end a worker, so what does not fit is cut, or left out. */
export function readLogLine(value: unknown, name: string): LogLine {
  const { time, level, category, message, properties, template } = fields(value, name);
  const now = Date.now();
  return {
    time: typeof time === "number" && Math.abs(now - time) <= LONGEST_WAY ? time : now,
    level: LOG_LEVELS.find((each) => each === level && each !== "fatal") ?? GRAVEST,
    category: typeof category === "string" && CATEGORIES.has(category) ? category : OTHER_CATEGORY,
    message: cut(message, LONGEST_TEXT),
    properties: readProperties(properties),
    template: cut(template, LONGEST_TEXT),
  };
}

/** A line of a worker as it is written: it says whose it is, whatever the worker says. */
export function markLine(line: LogLine, worker: string): LogLine {
  return {
    ...line,
    properties: { ...line.properties, worker },
    // What stands in the template, the text format does not repeat.
    template: line.template.replaceAll("{worker}", ""),
  };
}

/** Log lines that a worker sends at once and each second; the rest it counts and drops. */
const LINES = { most: 10_000, perSecond: 5000 };

/**
 * Sends a worker's lines to the main thread: nothing in them but texts, numbers, truth values and errors, and not more than the main
 * thread lets it.
 *
 * @param post sends a message
 * @param budget in place of the usual one, for tests
 */
export function forwardLines(
  post: (message: { readonly type: "log"; readonly line: LogLine }) => void,
  budget: MessageBudget = new MessageBudget(LINES),
): (line: LogLine) => void {
  let dropped = 0;
  return (line) => {
    if (!budget.take()) {
      dropped++;
      return;
    }
    if (dropped > 0) post({ type: "log", line: droppedLine(dropped) });
    dropped = 0;
    const entries = Object.entries(line.properties).map(([name, value]) =>
      [name, isPlain(value) ? value : valueInMessage(value)] as const
    );
    post({ type: "log", line: { ...line, properties: Object.fromEntries(entries) } });
  };
}

function droppedLine(count: number): LogLine {
  return {
    time: Date.now(),
    level: "warning",
    category: OTHER_CATEGORY,
    message: `${count} log lines dropped: this thread logs faster than they can be written`,
    properties: { count },
    template: "{count}",
  };
}

function isPlain(value: unknown): boolean {
  return value instanceof Error || value === null ||
    ["string", "number", "boolean", "undefined"].includes(typeof value);
}

function readProperties(properties: unknown): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  if (typeof properties !== "object" || properties === null) return read;
  let count = 0;
  for (const name in properties) {
    if (++count > MOST_PROPERTIES) break;
    if (!PROPERTY_NAME.test(name) || !Object.hasOwn(properties, name)) continue;
    read[name] = readProperty((properties as Record<string, unknown>)[name]);
  }
  return read;
}

/** Never looks into objects: one that is written down in a line of text can be a gigabyte. */
function readProperty(value: unknown): unknown {
  if (value instanceof Error) {
    const error = new Error(cut(value.message, LONGEST_VALUE));
    error.name = cut(value.name, 64);
    error.stack = cut(value.stack, LONGEST_STACK);
    return error;
  }
  if (typeof value === "string") return cut(value, LONGEST_VALUE);
  return isPlain(value) ? value : "(not shown)";
}

function cut(value: unknown, most: number): string {
  if (typeof value !== "string") return "";
  return value.length <= most ? value : `${value.slice(0, most)}…`;
}
