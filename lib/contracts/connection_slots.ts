/** The places that `max_connections` gives: one a session, whatever port it came by. */

/** Places for sessions, shared by all listeners. */
export interface ConnectionSlots {
  /** Waits until a place is free, without taking it. */
  available(): Promise<void>;
  /** Waits for a place and takes it. */
  take(): Promise<void>;
  /** Gives a place back. */
  free(): void;
}
