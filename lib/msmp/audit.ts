/** The audit: a log line for every change that an administrator makes. */

import type { AuditEntry } from "./services.ts";
import { type Logger, logger } from "../log/logging.ts";

/** Writes a change: who, from where, what, old → new. Secrets never come here. */
export function writeAudit(entry: AuditEntry, log: Logger = logger("audit")): void {
  const { object, before, after } = entry;
  const what = object === undefined ? "{action}" : "{action} {object}";
  const change = after === undefined
    ? ""
    : before === undefined
    ? ": {after}"
    : ": {before} → {after}";
  log.info(`{administrator} from {address}: ${what}${change}`, { ...entry });
}
