/** What a SASL mechanism is (RFC 4422): a small state machine that asks, and at its end has credentials. */

import type { Credentials, LoginOutcome, ScramParameters } from "../contracts/login_service.ts";

/** What a mechanism says after an answer of the client. Octets are as they are before base64. */
export type Step =
  | {
    readonly kind: "challenge";
    readonly data: Uint8Array;
    readonly next: (response: Uint8Array) => Step | Promise<Step>;
  }
  | {
    readonly kind: "credentials";
    readonly credentials: Credentials;
    /** What remains to be said once the credentials were checked; absent where the outcome says all. */
    readonly closing?: (outcome: LoginOutcome) => Closing | undefined;
  }
  /** The server cannot go on now. */
  | { readonly kind: "unavailable" }
  | {
    /** The client broke the mechanism's rules. */
    readonly kind: "malformed";
    /** For the log; never holds what the client sent. */
    readonly why: string;
  };

/** A last challenge that comes after the login was decided, before it is answered. */
export interface Closing {
  readonly data: Uint8Array;
  /** Whether the client's answer to it is as it must be; if it is not, a granted login must be given back. */
  readonly accepts: (response: Uint8Array) => boolean;
}

/** What mechanisms need of the server. */
export interface ExchangeContext {
  /** What a SCRAM exchange with this user begins with; made up for unknown users; undefined when it cannot be found out now. */
  readonly scramParameters: (user: string) => Promise<ScramParameters | undefined>;
  /** Fills with random octets. @default crypto.getRandomValues */
  readonly random?: (into: Uint8Array<ArrayBuffer>) => void;
}

/** What decides whether a mechanism is offered. */
export interface OfferFacts {
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  /** Whether credentials may be sent from this client although it is not. */
  readonly clearAllowed: boolean;
  /** Whether, where it is not encrypted, a password may be sent that others on the way could read (RFC 4616, section 6). */
  readonly plainInClear: boolean;
  /** Whether every user has SCRAM keys. */
  readonly scramForAll: boolean;
  /** Whether bearer tokens can be verified. */
  readonly bearer: boolean;
}

/** One mechanism. */
export interface Mechanism {
  /** Its registered name. */
  readonly name: string;
  /** Whether it can succeed, and may be used, under these circumstances. */
  readonly offered: (facts: OfferFacts) => boolean;
  /**
   * Begins an exchange.
   *
   * @param initial the client's initial response; undefined where it sent none, which is not the same as an empty one
   */
  readonly start: (
    initial: Uint8Array | undefined,
    context: ExchangeContext,
  ) => Step | Promise<Step>;
}

/** A step that ends an exchange whose rules the client broke. */
export function malformed(why: string): Step {
  return { kind: "malformed", why };
}

/** Reads octets as UTF-8, or tells by undefined that they are not. A byte order mark is kept. */
export function readUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
