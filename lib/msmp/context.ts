/** What every command of a management connection can see and do, whatever the phase. */

import type { MsmpServices } from "./services.ts";

/** A management connection as its commands see it. */
export interface MsmpContext {
  readonly services: MsmpServices;
  /** Whether the connection is under TLS. */
  readonly secure: boolean;
  /** The keywords of the present phase, in the table's order. */
  commands(): readonly string[];
  /** Goes from authorization to version 1. */
  enter(administrator: string): void;
  /** Goes from version 1 to version 2. */
  upgrade(): void;
  /** Aborted when the client sends another line, or is gone, while the command is at work. */
  workSignal(): AbortSignal;
  /** Aborted when the client is gone. */
  goneSignal(): AbortSignal;
}
