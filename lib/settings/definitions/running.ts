/** State, threads, logging and the end. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { password } from "../types/secrets.ts";
import { nodeName, nodeNameOf, statePlace } from "../types/state.ts";
import { choice, file, folder } from "../types/texts.ts";
import { optional } from "../types/value_type.ts";

export const running = {
  state: {
    type: statePlace,
    default: "./postern.db",
    takesEffect: "next start",
    help:
      "SQLite file for users, administrators, settings, access log and counters; :memory: keeps nothing; " +
      "postgres://USER@HOST/DATABASE is shared by several servers (docs/cluster.md)",
  },
  statePassword: {
    type: optional(password),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    help: "password of the database's account",
  },
  node: {
    type: nodeName,
    default: (machine) => nodeNameOf(machine.hostName),
    defaultText: "the host's name",
    takesEffect: "next start",
    help: "name of this server among those that share a database",
  },
  stateWait: {
    type: wholeNumber({ min: 0, max: 86_400, unit: "seconds" }),
    default: 30,
    takesEffect: "next start",
    help: "seconds that a start waits for the database",
  },
  backupDir: {
    type: optional(folder),
    default: undefined,
    defaultText: "the state file's",
    takesEffect: "next start",
    help: "folder for backups that administrators ask for",
  },
  config: {
    type: optional(file),
    default: undefined,
    defaultText: "none",
    config: false,
    takesEffect: "next start",
    help:
      "TOML or JSON file (.json, .jsonc) with the same names as the flags; read again on SIGHUP",
  },
  workers: {
    type: wholeNumber({ min: 1, max: 1024 }),
    default: (machine) => machine.cores,
    defaultText: "one per core",
    takesEffect: "next start",
    help: "worker threads for POP3 sessions",
  },
  grace: {
    type: wholeNumber({ min: 0, max: 86_400, unit: "seconds" }),
    default: 30,
    takesEffect: "next start",
    help: "seconds to let sessions finish after SIGTERM",
  },
  logLevel: {
    type: choice(["trace", "debug", "info", "warning", "error"]),
    default: "info",
    takesEffect: "now",
    session: true,
    help: "minimum log level",
  },
  logFormat: {
    type: choice(["text", "json", "auto"]),
    default: "auto",
    defaultText: "text on a terminal, else json",
    takesEffect: "next start",
    help: "log format",
  },
  logFile: {
    type: optional(file),
    default: undefined,
    defaultText: "standard error",
    takesEffect: "next start",
    help: "log file, rotated",
  },
  accessLog: {
    type: optional(file),
    default: undefined,
    defaultText: "none",
    takesEffect: "next start",
    help: "file with one JSON line per session, rotated and reopened on SIGHUP, for other programs",
  },
} as const satisfies Partial<Definitions>;
