// Types for what we use of @std/async/delay, whose npm package carries JavaScript alone.

/** How {@linkcode delay} waits. */
export interface DelayOptions {
  /** Ends the waiting: the promise is rejected with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the process stays alive for it. @default {true} */
  readonly persistent?: boolean | undefined;
}

/** Resolves when so many milliseconds have passed. */
export function delay(ms: number, options?: DelayOptions): Promise<void>;
