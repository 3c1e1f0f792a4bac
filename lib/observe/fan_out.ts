/** Gives every event to every observer, and keeps an observer that fails from harming the others. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { Observer } from "../contracts/event.ts";
import { logger } from "../log/logging.ts";

/** How failures of observers are told. */
export interface FanOutOptions {
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Told of an observer that threw, at most once a minute for each. By default an error in the log. */
  readonly failed?: (observer: string, error: unknown) => void;
}

/** Milliseconds between two complaints about the same observer. */
const QUIET = 60_000;

/**
 * One observer out of many, called in the order of `observers`.
 *
 * @param observers by a name, which stands in the log when one throws
 * @returns an observer that never throws
 */
export function fanOut(
  observers: Readonly<Record<string, Observer>>,
  options: FanOutOptions = {},
): Observer {
  const clock = options.clock ?? systemClock;
  const failed = options.failed ?? complain;
  const entries = Object.entries(observers).map(([name, observe]) => ({
    name,
    observe,
    complained: -Infinity,
  }));
  return (event) => {
    for (const entry of entries) {
      try {
        entry.observe(event);
      } catch (error) {
        const now = clock.monotonic();
        if (now - entry.complained < QUIET) continue;
        entry.complained = now;
        failed(entry.name, error);
      }
    }
  };
}

function complain(observer: string, error: unknown): void {
  logger("observe").error("The observer {observer} failed: {error}", { observer, error });
}
