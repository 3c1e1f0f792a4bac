/** What happens in the server, told once; access log, counters, telemetry and live views all read this stream. */

import type { TransformerFailure } from "./transformer.ts";

/** How a session ended. */
export type CloseReason =
  | "quit"
  | "client-gone"
  | "idle"
  | "login-timeout"
  | "not-reading"
  | "bad-commands"
  | "failed-logins"
  | "kicked"
  | "shutdown"
  | "refused"
  /** It gave way to a newcomer, before its login. */
  | "displaced"
  /** Another machine has taken the user's lock over. */
  | "lock-lost"
  | "tls-failed"
  | "error";

/** The family of a listener. */
export type Protocol = "pop3" | "msmp";

/** Something that happened. `session` names the session, `at` is milliseconds since 1970. */
export type ServerEvent =
  | {
    /** A connection was accepted on a POP3 port. `tls` is the version where it began with TLS, which a `tls` event tells, too. */
    readonly type: "connected";
    readonly session: string;
    readonly at: number;
    readonly address: string;
    readonly port: number;
    readonly tls: string | undefined;
  }
  | {
    /** A handshake ended, on connecting or by STLS; every handshake is told by exactly one of these. */
    readonly type: "tls";
    readonly session: string;
    readonly version: string | undefined;
    readonly ok: boolean;
    /** Why it failed, one of few; absent where that is not known. */
    readonly reason?: string | undefined;
  }
  | {
    readonly type: "login";
    readonly session: string;
    readonly at: number;
    readonly user: string;
    readonly mechanism: string;
    readonly messages: number;
    readonly octets: number;
    /** Milliseconds that opening the maildrop took. */
    readonly milliseconds: number;
  }
  | {
    readonly type: "login-refused";
    readonly session: string;
    readonly at: number;
    readonly address: string;
    readonly user: string;
    readonly mechanism: string;
    readonly reason:
      | "credentials"
      | "in-use"
      | "login-delay"
      | "unavailable"
      | "banned"
      | "disabled";
  }
  | {
    /** A command that was answered. `name` is from the command table, or `?` for one that is not in it. */
    readonly type: "command";
    readonly session: string;
    readonly name: string;
    readonly outcome: "ok" | "error";
    readonly milliseconds: number;
  }
  /** A message was sent whole (RETR). */
  | { readonly type: "retrieved"; readonly session: string; readonly octets: number }
  /** Messages were deleted in the UPDATE state. */
  | { readonly type: "deleted"; readonly session: string; readonly messages: number }
  /** Octets written to the client, before TLS. */
  | { readonly type: "sent"; readonly session: string; readonly octets: number }
  | { readonly type: "transformer-started"; readonly session: string; readonly pid: number }
  | {
    readonly type: "transformer-ended";
    readonly session: string;
    readonly pid: number | undefined;
    readonly milliseconds: number;
    readonly failure: TransformerFailure | undefined;
    /** The first KiB of standard error, made printable, where the run failed. */
    readonly stderrTail?: string;
  }
  | {
    /** What an administrator's trace tells of a session: lines for these traces. */
    readonly type: "traced";
    readonly session: string;
    readonly targets: readonly number[];
    readonly lines: readonly string[];
  }
  | {
    /** Session closed. Exactly one for every `connected`: for the sessions of a worker that died, the supervisor says it. */
    readonly type: "disconnected";
    readonly session: string;
    readonly at: number;
    readonly reason: CloseReason;
  };

/** Takes events; must not throw and must not wait. */
export type Observer = (event: ServerEvent) => void;
