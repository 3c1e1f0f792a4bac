/** The slot of one accepted connection: the stages that it goes through. */

import type { ConnectionSlot } from "../contracts/connection_slots.ts";
import type { ConnectionKind } from "./slot_counters.ts";

/** Where a connection stands, and as what it counts there; `recent` and `overdue` ones are served, and have not logged in. */
export const STAGES = {
  waiting: ["open", "waiting"],
  recent: ["open", "served"],
  overdue: ["open", "served", "overdue"],
  /** The answer to its failed login waits. */
  parked: ["open"],
  /** It has logged in, but for a slot to keep. */
  keeping: ["open", "served"],
  kept: ["open", "served", "loggedIn"],
  free: [],
} as const satisfies Record<string, readonly ConnectionKind[]>;

/** A stage's name. */
export type Stage = keyof typeof STAGES;

/** Whoever keeps the slots of a thread; see {@linkcode ConnectionSlot} for what each is asked for. */
export interface SlotKeeper {
  keep(slot: Slot, gone: AbortSignal): boolean | Promise<boolean>;
  release(slot: Slot): void;
  park(slot: Slot): void;
  resume(slot: Slot): void;
  free(slot: Slot): void;
}

/** A slot, as its keeper moves it from stage to stage. */
export class Slot implements ConnectionSlot {
  readonly #keeper: SlotKeeper;
  stage: Stage = "free";
  admitted: Promise<boolean> | undefined;
  /** Settles what the connection waits for. */
  settle: ((outcome: boolean) => void) | undefined;
  /** When it was first served. */
  came = 0;
  giveWay: () => void;
  freed: (() => void) | undefined;

  constructor(keeper: SlotKeeper, giveWay: () => void) {
    this.#keeper = keeper;
    this.giveWay = giveWay;
  }

  keep(gone: AbortSignal): boolean | Promise<boolean> {
    return this.#keeper.keep(this, gone);
  }

  release(): void {
    this.#keeper.release(this);
  }

  park(): void {
    this.#keeper.park(this);
  }

  resume(): void {
    this.#keeper.resume(this);
  }

  free(): void {
    this.#keeper.free(this);
  }
}
