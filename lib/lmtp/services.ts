/** What LMTP sessions are given to work with. */

import type { DeliveryError } from "../mail/delivery/mailbox_delivery.ts";

/** A recipient who can be delivered to. */
export interface Recipient {
  /**
   * Makes sure that a message of this size may come.
   *
   * @throws {DeliveryError} when it may not
   */
  check(size: number): Promise<void>;
  /** Opens a message. @throws {DeliveryError} */
  open(from: string): Promise<RecipientMessage>;
}

/** One recipient's copy of a message. Disposing removes what was not delivered. */
export interface RecipientMessage extends AsyncDisposable {
  /** Adds octets, with LF at the ends of lines. @throws {DeliveryError} */
  write(octets: Uint8Array): Promise<void>;
  /** Delivers it for good. @returns what names it in the log @throws {DeliveryError} */
  deliver(): Promise<string>;
}

/** Sessions' surroundings. */
export interface LmtpServices {
  readonly serverName: string;
  /** Octets of a message; 0 for any number. */
  readonly maxMessageSize: number;
  /**
   * Finds a recipient.
   *
   * @returns undefined when there is no such user
   * @throws {Error} when that cannot be found out now
   */
  recipient(address: string): Promise<Recipient | undefined>;
  /** Told of each copy. */
  readonly delivered: (fact: DeliveryFact) => void;
  /** Told why a message was not taken. */
  readonly refused: (fact: DeliveryFact & { readonly error: DeliveryError | Error }) => void;
}

/** What is said of a delivery. */
export interface DeliveryFact {
  readonly to: string;
  readonly from: string;
  readonly peer: string;
  readonly size: number;
  /** The file's name. */
  readonly name?: string;
}
