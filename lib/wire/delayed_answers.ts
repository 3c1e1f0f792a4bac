/** Answers to failed logins that wait: few of each address at once, and no longer than their client. */

import { delay } from "../async/delay.ts";
import type { ConnectionSlot } from "../contracts/connection_slots.ts";
import { clientNetworks } from "../net/networks.ts";

/** Answers to one address (IPv6: to one /64) that wait at once; it may have others, but these come at once and are the last. */
const MOST_PER_ADDRESS = 4;

/** An answer that waits. */
export interface DelayedAnswer {
  readonly address: string;
  readonly milliseconds: number;
  /** Aborted when the client leaves. */
  readonly gone: AbortSignal;
  /** Takes no room from others meanwhile. */
  readonly slot: Pick<ConnectionSlot, "park" | "resume">;
  /** Ends the connection of a client that left: whoever would not wait for the answer must not get it. */
  readonly end: () => void;
}

/** The answers of one thread that wait. */
export class DelayedAnswers {
  /** How many wait, by network. */
  readonly #waiting = new Map<string, number>();

  /**
   * Waits before an answer.
   *
   * @returns false, without waiting, when too many answers to the same address wait already
   */
  async hold({ address, milliseconds, gone, slot, end }: DelayedAnswer): Promise<boolean> {
    if (milliseconds <= 0) return true;
    const { own } = clientNetworks(address);
    const waiting = this.#waiting.get(own) ?? 0;
    if (waiting >= MOST_PER_ADDRESS) return false;
    this.#waiting.set(own, waiting + 1);
    slot.park();
    try {
      await delay(milliseconds, { signal: gone });
    } catch (error) {
      if (!gone.aborted) throw error;
      end();
    } finally {
      slot.resume();
      const others = this.#waiting.get(own)! - 1;
      if (others > 0) this.#waiting.set(own, others);
      else this.#waiting.delete(own);
    }
    return true;
  }
}
