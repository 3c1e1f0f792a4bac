/** Connection slots (`max_connections`): who is served, who waits, and who gives way when there are none left. */

/** An accepted connection's slot. */
export interface ConnectionSlot {
  /** Settles when the connection may be served: false where it must not be any more. Undefined where it may be at once. */
  readonly admitted: Promise<boolean> | undefined;
  /** Closes the connection, since it gives way. Set by whoever serves it, as it goes from one stage to the next. */
  giveWay: () => void;
  /** Told when the slot is given back, however that comes. */
  freed: (() => void) | undefined;
  /**
   * Keeps the slot to the connection's end, since it has logged in. Where others keep all of them, it waits for one to end.
   *
   * @param gone ends the waiting
   * @returns false when there is none to be had
   */
  keep(gone: AbortSignal): boolean | Promise<boolean>;
  /** Keeps it no more: the login came to nothing. */
  release(): void;
  /** Counts towards no limit while the answer to a failed login waits. */
  park(): void;
  /** Counts again. */
  resume(): void;
  /** Gives the slot back. Does nothing the second time. */
  free(): void;
}

/** The slots of all listeners. */
export interface ConnectionSlots {
  /** Waits until another connection may be accepted: while all that are served have logged in, nobody is. */
  available(): Promise<void>;
  /**
   * Takes in a connection that was accepted.
   *
   * @param giveWay closes it, until whoever serves it says how else
   */
  enter(giveWay: () => void): ConnectionSlot;
  /**
   * Lets some give way that may, since the system has no descriptor for another connection, and goes less far for a while.
   *
   * @returns whether there was one
   */
  outOfDescriptors(): boolean;
}
