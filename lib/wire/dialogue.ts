/** What a protocol is to the engine: something that greets, obeys lines and is told of the end. */

import type { CloseReason } from "../contracts/event.ts";
import type { TlsFacts } from "../contracts/connection.ts";
import type { Reply } from "./reply.ts";

/** How long the engine waits for the client, in milliseconds; 0 waits for ever. */
export interface Patience {
  /** For the next line. */
  readonly read: number;
  /** Why the connection is closed when nothing came. */
  readonly silent: CloseReason;
  /** For the client to take anything of what is being sent. */
  readonly write: number;
}

/** How a command went, once its answer was written. */
export type Outcome = "ok" | "error";

/**
 * A protocol's side of one connection. The engine owns socket, lines, limits, timers, flushing and TLS; a dialogue owns meaning.
 * It is never called again before the promise of the last call has settled.
 */
export interface Dialogue {
  /** Octets that a command line may have, its line end included. */
  readonly lineLimit: number;
  /** Bad commands in a row after which the engine closes; 0 never closes. */
  readonly maxBadCommands: number;
  /** Read before each wait. */
  readonly patience: Patience;
  /** What the log calls the connection; an answer that tells of a fault of ours says it, too. */
  readonly reference?: string;
  /** The first answer of a connection. */
  greet(): Reply | Promise<Reply>;
  /** Carries out a command line, which comes without its line end. */
  obey(line: Uint8Array): Reply | Promise<Reply>;
  /** The answer to a line over the limit, which the engine has discarded. */
  refuseLongLine(): Reply;
  /**
   * Told when the last command's answer was written whole, or given up. A SASL exchange is one command, told of at its end;
   * the greeting answers none.
   *
   * @param milliseconds what the command took, without the client's own time: in an exchange, and in taking the answer
   */
  answered(outcome: Outcome, milliseconds: number): void;
  /**
   * Told before a line is carried out that the client ended after all answers so far had left: it has seen them, as far as
   * a server can know. Lines that were sent ahead tell nothing of the kind.
   */
  acknowledged?(): void;
  /** Told how many octets were handed to the client's connection, before TLS. @param data begins with them; it changes afterwards */
  wrote(octets: number, data?: Uint8Array): void;
  /** Told that TLS is on: everything learnt before it is forgotten (RFC 2595, section 4). */
  secured(tls: TlsFacts): void;
  /** Told that a TLS handshake failed. @param reason as {@linkcode HandshakeError.reason} says it, where that is known */
  unsecured(reason: string | undefined): void;
  /** Told while a command is at work that nobody waits for its answer any more. */
  hangUp(): void;
  /**
   * Told while a command is at work, or a list is on its way, that the client's next line has come whole. Without this method the
   * engine reads at most once ahead, and looks at what it has read when the command is done.
   */
  interrupted?(): void;
  /** Told once, at the end, however it came. */
  end(reason: CloseReason): Promise<void>;
}
