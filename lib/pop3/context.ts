/** What every command of a session can see and do, whatever the phase. */

import type { Pop3Services } from "./services.ts";
import type { Maildrop } from "../contracts/mail_store.ts";
import type { SessionSettings } from "../contracts/settings.ts";
import type { Lease } from "../contracts/login_service.ts";

/** Languages of the answers (RFC 6856, section 3): one, under its two names. */
export type Language = "i-default" | "en";

/** A login that has its maildrop. */
export interface OpenLogin {
  readonly user: string;
  readonly mechanism: string;
  readonly maildrop: Maildrop;
  readonly lease: Lease;
  /** Whether nothing may be deleted. */
  readonly readOnly: boolean;
  /** What DELE does. */
  readonly deletes: SessionSettings["deletes"];
  /** Milliseconds that opening the maildrop took. */
  readonly milliseconds: number;
}

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
  /** Goes from AUTHORIZATION to TRANSACTION. Returns what the answer says of the maildrop. */
  enter(login: OpenLogin): string;
  /** Goes to UPDATE, after which nothing but the end comes. */
  update(): void;
  /** Tells of milliseconds that the command at work only waited: they are not what it took. */
  idled(milliseconds: number): void;
  /** Aborted when nobody waits for the answer of the command at work any more. */
  workSignal(): AbortSignal;
}
