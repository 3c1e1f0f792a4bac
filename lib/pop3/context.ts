/** What every command of a session can see and do, whatever the phase. */

import type { Pop3Services } from "./services.ts";
import type { Transaction } from "./phases.ts";

/** Languages of the answers (RFC 6856, section 3): one, under its two names. */
export type Language = "i-default" | "en";

/** A session as its commands see it. */
export interface Pop3Context {
  readonly services: Pop3Services;
  readonly phase: "authorization" | "transaction" | "update";
  /** Whether the connection is under TLS. */
  readonly secure: boolean;
  /** What APOP's digest is made with (RFC 1939, section 7): in this session's greeting, and in no other's. */
  readonly timestamp: string;
  language: Language;
  /** Whether the client asked for UTF-8 (RFC 6856, section 2). */
  utf8: boolean;
  /** Lines of the capability list that follow from the command tables. */
  commandCapabilities(): string[];
  /** Goes from AUTHORIZATION to TRANSACTION. */
  enter(transaction: Transaction, mechanism: string, milliseconds: number): void;
  /** Goes to UPDATE, after which nothing but the end comes. */
  update(): void;
  /** Aborted when nobody waits for the answer of the command at work any more. */
  workSignal(): AbortSignal;
}
