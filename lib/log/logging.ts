/** The log of the whole program: LogTape, configured once and changeable while it runs. */

import { configureSync, getLogger, type Logger, type LogRecord, resetSync } from "@logtape/logtape";
import {
  jsonLine,
  LOG_LEVELS,
  type LogLevel,
  type LogLine,
  namedValueInMessage,
  textLine,
  valueInMessage,
} from "./log_format.ts";
import { FileOutput } from "./log_file.ts";
import type { LogOutput } from "./log_output.ts";
import { QueuedOutput } from "./log_queue.ts";

export type { Logger } from "@logtape/logtape";
export { LOG_LEVELS, type LogLevel, type LogLine } from "./log_format.ts";

/** Where the log goes and how much of it. */
export interface LoggingOptions {
  /** The least important level that is written. */
  readonly level: LogLevel;
  /** `auto`: text when standard error is a terminal and there is no file, JSON lines otherwise. */
  readonly format: "text" | "json" | "auto";
  /** A file in place of standard error. */
  readonly file?: string | undefined;
  /** Octets after which a new file is begun. @default {16777216} */
  readonly maxOctets?: number;
  /** How many old files are kept. @default {5} */
  readonly keep?: number;
  /** Whether standard error is a terminal. @default {Deno.stderr.isTerminal()} */
  readonly terminal?: boolean;
  /** In place of standard error, for tests. */
  readonly output?: LogOutput;
}

/** The running log. Disposing writes what is left, waits at most a second for it, and lets later lines fall. */
export interface Logging extends AsyncDisposable {
  /** The level in force. */
  readonly level: LogLevel;
  /** Changes the level from the next line on. */
  setLevel(level: LogLevel): void;
  /** Adds properties to every line from the next one on. */
  always(properties: Readonly<Record<string, unknown>>): void;
  /** Writes a line that was made elsewhere (by {@linkcode forwardLogging} in a worker), when its level is in force. */
  accept(line: LogLine): void;
  /** Opens the log file anew after it was moved away; without a file it does nothing. */
  reopen(): void;
  /** Resolves when all lines so far are with the system; at most after a second. */
  flush(): Promise<void>;
}

/** Milliseconds that the end of the program waits for a log that nobody reads. */
const LONGEST_FLUSH = 1000;

/**
 * The logger of one part of the program.
 *
 * @param names what stands in brackets in the text format, e.g. `logger("pop3")`
 *
 * @example
 * ```ts
 * import { logger } from "./logging.ts";
 *
 * logger("pop3").info("{user} logged in", { user: "alice", session: "17" });
 * ```
 */
export function logger(...names: readonly string[]): Logger {
  return getLogger(["postern", ...names]);
}

/**
 * Starts the log of the main thread; one at a time.
 *
 * @throws {LogFileError} when the file cannot be opened
 */
export function startLogging(options: LoggingOptions): Logging {
  const stderr = options.output ?? new QueuedOutput();
  const terminal = options.terminal ?? Deno.stderr.isTerminal();
  const text = options.format === "text" ||
    (options.format === "auto" && terminal && options.file === undefined);
  const write = text ? textLine : jsonLine;
  const complain = (message: string): void => stderr.write(write(ownLine("error", message)));
  const output = options.file === undefined ? stderr : new FileOutput(options.file, {
    complain,
    ...(options.maxOctets === undefined ? {} : { maxOctets: options.maxOctets }),
    ...(options.keep === undefined ? {} : { keep: options.keep }),
  });
  return new RunningLog(options.level, stderr, output, write);
}

/**
 * Sends the log lines of this thread elsewhere: a worker holds neither the file nor the level's setting.
 *
 * @param send must not throw; what it is given can go through `postMessage`
 * @returns changes the level
 */
export function forwardLogging(
  level: LogLevel,
  send: (line: LogLine) => void,
): (level: LogLevel) => void {
  const sink = (record: LogRecord): void => send(cloneable(lineOf(record)));
  configure(level, sink);
  return (next) => configure(next, sink);
}

class RunningLog implements Logging {
  readonly #stderr: LogOutput;
  readonly #output: LogOutput;
  readonly #format: (line: LogLine) => string;
  readonly #atExit = (): void => {
    this.#output.flushSync();
    this.#stderr.flushSync();
  };
  #level: LogLevel;
  #always: Readonly<Record<string, unknown>> = {};

  constructor(
    level: LogLevel,
    stderr: LogOutput,
    output: LogOutput,
    format: (line: LogLine) => string,
  ) {
    this.#level = level;
    this.#stderr = stderr;
    this.#output = output;
    this.#format = format;
    configure(level, this.#sink);
    globalThis.addEventListener("unload", this.#atExit);
  }

  get level(): LogLevel {
    return this.#level;
  }

  setLevel(level: LogLevel): void {
    this.#level = level;
    configure(level, this.#sink);
  }

  always(properties: Readonly<Record<string, unknown>>): void {
    this.#always = properties;
  }

  accept(line: LogLine): void {
    if (weight(line.level) >= weight(this.#level)) this.#write(line);
  }

  reopen(): void {
    this.#output.reopen();
  }

  async flush(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, LONGEST_FLUSH);
    try {
      await Promise.race([
        Promise.all([this.#output.flush(), this.#stderr.flush()]),
        late.promise,
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    resetSync();
    await this.flush();
    globalThis.removeEventListener("unload", this.#atExit);
    this.#output[Symbol.dispose]();
    this.#stderr[Symbol.dispose]();
  }

  readonly #sink = (record: LogRecord): void => this.#write(lineOf(record));

  #write(line: LogLine): void {
    const properties = { ...this.#always, ...line.properties };
    this.#output.write(this.#format({ ...line, properties }));
  }
}

function weight(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level);
}

function configure(level: LogLevel, sink: (record: LogRecord) => void): void {
  configureSync({
    reset: true,
    sinks: { out: sink },
    loggers: [
      { category: ["postern"], sinks: ["out"], lowestLevel: level },
      // What administrators change is told at every level (msmp.md, "Hardening").
      {
        category: ["postern", "audit"],
        sinks: ["out"],
        lowestLevel: weight(level) < weight("info") ? level : "info",
        parentSinks: "override",
      },
      // LogTape's own: what it has to say is about failing sinks, and goes the same way.
      { category: ["logtape", "meta"], sinks: ["out"], lowestLevel: "warning" },
    ],
  });
}

/** LogTape's record as a line: values filled in. */
function lineOf(record: LogRecord): LogLine {
  const template = typeof record.rawMessage === "string" ? record.rawMessage : "";
  const named = Array.from(template.matchAll(/\{(\w+)\}/g), ([, name]) => name);
  let message = "";
  for (const [at, part] of record.message.entries()) {
    message += at % 2 === 0 ? String(part) : namedValueInMessage(named[at >> 1], part);
  }
  const names = record.category[0] === "postern" ? record.category.slice(1) : record.category;
  return {
    time: record.timestamp,
    level: record.level,
    category: names.join(".") || "postern",
    message,
    properties: record.properties,
    template,
  };
}

function ownLine(level: LogLevel, message: string): LogLine {
  return { time: Date.now(), level, category: "log", message, properties: {}, template: "" };
}

/** The same line without anything that `postMessage` refuses (functions, streams). */
function cloneable(line: LogLine): LogLine {
  try {
    return { ...line, properties: structuredClone(line.properties) };
  } catch {
    const entries = Object.entries(line.properties);
    return {
      ...line,
      properties: Object.fromEntries(entries.map(([name, value]) => [name, valueInMessage(value)])),
    };
  }
}
