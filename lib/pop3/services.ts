/** What POP3 sessions are given to work with. */

import type { Clock } from "../async/clock.ts";
import type { MailStore } from "../contracts/mail_store.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { SessionSettings } from "../contracts/settings.ts";
import type { Transformer } from "../contracts/transformer.ts";
import type { LoginService, SessionIdentity } from "../contracts/login_service.ts";

/** What a session keeps from its first line to its last. */
export interface Pop3Services {
  readonly loginService: LoginService;
  /** The settings with which the session began. */
  readonly settings: SessionSettings;
  readonly store: MailStore;
  readonly transformer: Transformer;
  readonly identity: SessionIdentity;
  /** When the client connected, on both clocks. */
  readonly connected: { readonly wall: number; readonly monotonic: number };
  /** Whether the client's address has more connections than it may have: it is told so in place of the greeting. */
  readonly isOverLimit: boolean;
  /** Whether TLS can be had by STLS. */
  readonly tlsOffered: boolean;
  /** Whether this client may send a password that others on the way could read. */
  readonly clearAllowed: boolean;
  /** Whether PLAIN and LOGIN are offered to it in clear, too: mail programs take the server for insecure that does. */
  readonly plainInClear: boolean;
  /**
   * Keeps the connection slot to the session's end. Where other sessions keep all of them, it waits for one to end.
   *
   * @returns false when there is none to be had
   */
  readonly keepSlot: (gone: AbortSignal) => boolean | Promise<boolean>;
  /** The login came to nothing behind {@linkcode keepSlot}: the slot is one of a connection without a login again. */
  readonly releaseSlot: () => void;
  /**
   * Waits before the answer to a failed login; a client that leaves meanwhile ends its session.
   *
   * @returns false, without waiting, when too many answers to this address wait already: close then
   */
  readonly penalty: (milliseconds: number, gone: AbortSignal) => Promise<boolean>;
  /** Ends the session from outside its own commands. */
  readonly close: (reason: CloseReason) => void;
  readonly clock: Clock;
}
