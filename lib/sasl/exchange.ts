/** A SASL exchange in the lines of POP3 (RFC 5034, section 4): base64, the empty response, cancelling, lengths. */

import { decodeBase64 } from "../bytes/base64.ts";
import type { Line } from "../bytes/line_buffer.ts";
import type { Credentials, LoginOutcome } from "../contracts/login_service.ts";
import type { Closing, ExchangeContext, Mechanism, Step } from "./mechanism.ts";

/** Where an exchange stands. */
export type ExchangeState =
  | {
    readonly kind: "challenge";
    /** Before base64. */
    readonly data: Uint8Array;
    /** Takes the client's line. */
    readonly answer: (line: Line) => Promise<ExchangeState>;
  }
  | {
    /** The credentials are complete; nothing is checked yet. */
    readonly kind: "credentials";
    readonly credentials: Credentials;
    /** What must still be said once they were checked. */
    readonly closing: (outcome: LoginOutcome) => ClosingState | undefined;
  }
  /** The server cannot go on now. */
  | { readonly kind: "unavailable" }
  | ExchangeFailure;

/** An exchange that came to nothing. None of it is a wrong password. */
export interface ExchangeFailure {
  readonly kind: "failed";
  readonly reason: "cancelled" | "malformed";
  /** For the client and the log; never holds what the client sent. */
  readonly why: string;
}

/** The last challenge, sent before the answer to the login. */
export interface ClosingState {
  /** Before base64. */
  readonly data: Uint8Array;
  /** @returns undefined when the client agrees; else a granted login must be given back */
  readonly answer: (line: Line) => ExchangeFailure | undefined;
}

const CANCELLED: ExchangeFailure = {
  kind: "failed",
  reason: "cancelled",
  why: "Authentication cancelled",
};

/**
 * Begins an exchange.
 *
 * @param initial the argument behind the mechanism's name, as the client sent it: base64, or `=` for an empty response;
 *   undefined where there was none
 */
export async function beginExchange(
  mechanism: Mechanism,
  initial: string | undefined,
  context: ExchangeContext,
): Promise<ExchangeState> {
  if (initial === undefined) return stateOf(await mechanism.start(undefined, context));
  const response = initial === "=" ? new Uint8Array() : readInitial(initial);
  if (response === undefined) return broken("its initial response is not base64");
  return stateOf(await mechanism.start(response, context));
}

function readInitial(initial: string): Uint8Array | undefined {
  // Nothing at all would be an empty response in the base64 of RFC 4648; RFC 5034 writes it `=`.
  return initial === "" ? undefined : decodeBase64(initial);
}

function stateOf(step: Step): ExchangeState {
  switch (step.kind) {
    case "challenge":
      return {
        kind: "challenge",
        data: step.data,
        answer: async (line) => {
          const response = readLine(line);
          return response instanceof Uint8Array ? stateOf(await step.next(response)) : response;
        },
      };
    case "credentials":
      return {
        kind: "credentials",
        credentials: step.credentials,
        closing: (outcome) => closingState(step.closing?.(outcome)),
      };
    case "unavailable":
      return step;
    case "malformed":
      return broken(step.why);
  }
}

/** A client's line; empty is an empty response, `*` alone cancels. */
function readLine(line: Line): Uint8Array | ExchangeFailure {
  if (line === "too-long") return broken("its response is too long");
  if (line.length === 1 && line[0] === 0x2a) return CANCELLED;
  return decodeBase64(line) ?? broken("its response is not base64");
}

function closingState(closing: Closing | undefined): ClosingState | undefined {
  if (closing === undefined) return undefined;
  return {
    data: closing.data,
    answer: (line) => {
      const response = readLine(line);
      if (!(response instanceof Uint8Array)) return response;
      return closing.accepts(response) ? undefined : broken("its last response is not empty");
    },
  };
}

function broken(why: string): ExchangeFailure {
  return { kind: "failed", reason: "malformed", why: `Malformed authentication: ${why}` };
}
