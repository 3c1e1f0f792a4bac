/** Contract: where log lines go. */

/** Takes whole lines; never throws, never waits. */
export interface LogOutput extends Disposable {
  /** Takes one line with its line feed. */
  write(line: string): void;
  /** Resolves when everything that was written before has been handed to the system, or cannot be. */
  flush(): Promise<void>;
  /** Hands over what it still has without an event loop; for the moment before the process ends. */
  flushSync(): void;
  /** Opens its file anew, after somebody else has moved it away. */
  reopen(): void;
}
