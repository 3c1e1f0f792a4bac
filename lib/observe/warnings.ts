/** Says what is unusual, once, and again only after it was over. */

import { addressGroup } from "../net/networks.ts";
import type { Observer, ServerEvent } from "../contracts/event.ts";
import { type Logger, logger } from "../log/logging.ts";

/** What counts as unusual. */
export interface WarningOptions {
  /** Failed logins of one address (an IPv6 /64) within {@linkcode burstWindow} that are a burst. @default {10} */
  readonly burst?: number;
  /** Milliseconds. @default {60000} */
  readonly burstWindow?: number;
  /** Failed transformer runs in a row. @default {5} */
  readonly transformerFailures?: number;
  /** Milliseconds that opening a maildrop may take. @default {2000} */
  readonly slowMaildrop?: number;
  /** Milliseconds of quiet after which the same thing is said again. @default {600000} */
  readonly quiet?: number;
  /** Addresses and users that are remembered; the longest unseen are forgotten. @default {10000} */
  readonly mostRemembered?: number;
  readonly log?: Logger;
}

interface Burst {
  count: number;
  /** When the present window began. */
  began: number;
  last: number;
  said: boolean;
}

/**
 * Watches the events for bursts of failed logins, transformers that keep failing, maildrops that open slowly, and connections that give
 * way.
 */
export class Warnings {
  readonly #burst: number;
  readonly #burstWindow: number;
  readonly #transformerFailures: number;
  readonly #slowMaildrop: number;
  readonly #quiet: number;
  readonly #log: Logger;
  readonly #bursts: Remembered<Burst>;
  /** By user: when the maildrop was last slow. */
  readonly #slow: Remembered<number>;
  #failed = 0;
  /** When a connection last gave way. */
  #displaced: number | undefined;

  constructor(options: WarningOptions = {}) {
    this.#burst = options.burst ?? 10;
    this.#burstWindow = options.burstWindow ?? 60_000;
    this.#transformerFailures = options.transformerFailures ?? 5;
    this.#slowMaildrop = options.slowMaildrop ?? 2000;
    this.#quiet = options.quiet ?? 600_000;
    this.#log = options.log ?? logger("warnings");
    this.#bursts = new Remembered(options.mostRemembered ?? 10_000);
    this.#slow = new Remembered(options.mostRemembered ?? 10_000);
  }

  /** Looks at one event. */
  readonly observe: Observer = (event: ServerEvent): void => {
    switch (event.type) {
      case "login-refused":
        if (event.reason === "credentials" || event.reason === "banned") {
          this.#failedLogin(event.address, event.at);
        }
        return;
      case "login":
        if (event.milliseconds >= this.#slowMaildrop) this.#slowLogin(event);
        return;
      case "transformer-ended":
        return this.#transformerEnded(event);
      case "disconnected":
        if (event.reason === "displaced") this.#gaveWay(event.at);
        return;
      default:
        return;
    }
  };

  #failedLogin(address: string, at: number): void {
    const key = addressGroup(address);
    let burst = this.#bursts.get(key);
    if (burst === undefined || at - burst.last >= this.#quiet) {
      burst = { count: 0, began: at, last: at, said: false };
    } else if (at - burst.began >= this.#burstWindow) {
      burst.count = 0;
      burst.began = at;
    }
    burst.count++;
    burst.last = at;
    this.#bursts.set(key, burst);
    if (burst.said || burst.count < this.#burst) return;
    burst.said = true;
    this.#log.warn("{count} failed logins from {address} within {seconds} s", {
      count: burst.count,
      address: key,
      seconds: Math.max(1, Math.ceil((at - burst.began) / 1000)),
    });
  }

  #slowLogin({ user, at, milliseconds, messages }: ServerEvent & { type: "login" }): void {
    const before = this.#slow.get(user);
    this.#slow.set(user, at);
    if (before !== undefined && at - before < this.#quiet) return;
    this.#log.warn(
      "The maildrop of {user} took {milliseconds} ms to open; it holds {messages} messages",
      { user, milliseconds: Math.round(milliseconds), messages },
    );
  }

  #gaveWay(at: number): void {
    const before = this.#displaced;
    this.#displaced = at;
    if (before !== undefined && at - before < this.#quiet) return;
    this.#log.warn(
      "All of max_connections are in use: connections that have not logged in are closed for new ones",
    );
  }

  #transformerEnded({ failure, stderrTail }: ServerEvent & { type: "transformer-ended" }): void {
    // The client went away: that says nothing of the program.
    if (failure === "cancelled") return;
    if (failure === undefined) {
      if (this.#failed >= this.#transformerFailures) {
        this.#log.info("The transformer works again after {count} failures", {
          count: this.#failed,
        });
      }
      this.#failed = 0;
      return;
    }
    if (++this.#failed !== this.#transformerFailures) return;
    this.#log.warn(
      "The transformer failed {count} times in a row, the last time by {reason}",
      { count: this.#failed, reason: failure, stderrTail },
    );
  }
}

/** A map of bounded size that forgets the entry which was set least recently. */
class Remembered<T> {
  readonly #most: number;
  readonly #entries = new Map<string, T>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}
