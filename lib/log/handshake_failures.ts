/** Tells of TLS handshakes that fail: each at debug, and at info once a minute for each reason, with how many there were. */

import { type Clock, systemClock } from "../async/clock.ts";
import { type Logger, logger } from "./logging.ts";

/** A handshake that failed. */
export interface FailedHandshake {
  readonly address: string;
  /** Why, as a sentence's end; one of few. */
  readonly reason: string | undefined;
  readonly session?: string;
}

/** How often the same reason is told. */
const INTERVAL_MS = 60_000;
/** Reasons that are told apart; what comes later is one. */
const MOST_REASONS = 50;
const UNKNOWN = "for an unknown reason";

/** The handshakes that failed lately. */
export class HandshakeFailures {
  readonly #log: Logger;
  readonly #clock: Clock;
  /** By reason: when it was told, and how often it came since. */
  readonly #told = new Map<string, { at: number; since: number }>();

  /** @param log where it is told */
  constructor(log: Logger = logger("net"), clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Tells of one. */
  failed({ address, reason = UNKNOWN, session }: FailedHandshake): void {
    this.#log.debug("TLS handshake with {address} failed: {reason}", { address, reason, session });
    const key = this.#told.has(reason) || this.#told.size < MOST_REASONS ? reason : UNKNOWN;
    const now = this.#clock.monotonic();
    const told = this.#told.get(key);
    if (told !== undefined && now - told.at < INTERVAL_MS) {
      told.since++;
      return;
    }
    this.#told.set(key, { at: now, since: 0 });
    const more = told?.since ?? 0;
    const text = "TLS handshake failed: {reason}; last client {address}";
    if (more === 0) this.#log.info(text, { reason, address });
    else this.#log.info(`${text}, {more} others since it was last said`, { reason, address, more });
  }
}
