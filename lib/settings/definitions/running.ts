/** State, threads, logging and the end. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { choice, file } from "../types/texts.ts";
import { optional } from "../types/value_type.ts";

export const running = {
  state: {
    type: file,
    default: "./postern.db",
    help:
      "SQLite file of users, administrators, settings, access log and counters; :memory: forgets",
  },
  config: {
    type: optional(file),
    default: undefined,
    defaultText: "none",
    config: false,
    help: "TOML file with the same names as the flags; read again on SIGHUP",
  },
  workers: {
    type: wholeNumber({ min: 1, max: 1024 }),
    default: (machine) => machine.cores,
    defaultText: "one a core",
    help: "threads that serve POP3",
  },
  grace: {
    type: wholeNumber({ min: 0, max: 86_400, unit: "seconds" }),
    default: 30,
    help: "for which sessions may go on after SIGTERM",
  },
  logLevel: {
    type: choice(["trace", "debug", "info", "warning", "error"]),
    default: "info",
    live: true,
    help: "least grave lines that are logged",
  },
  logFormat: {
    type: choice(["text", "json", "auto"]),
    default: "auto",
    defaultText: "text on a terminal, else json",
    help: "shape of log lines",
  },
  logFile: {
    type: optional(file),
    default: undefined,
    defaultText: "standard error",
    help: "file for log lines, rotated",
  },
} as const satisfies Partial<Definitions>;
