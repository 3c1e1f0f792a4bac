/** What an administrator sees of clients' sessions, word by word, for a while. */

/** Whose sessions are traced. */
export interface TraceTarget {
  /** Names the trace in events. */
  readonly id: number;
  /** A user's name, as it is kept or as clients say it; or an address. */
  readonly subject: string;
  readonly kind: "user" | "address";
  /** Whether answers are told octet by octet, with the messages in them. */
  readonly bodies: boolean;
}
