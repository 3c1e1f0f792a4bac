/** The slots of one thread, sorted by the stage that each is in, and counted as that. */

import { type Slot, type Stage, STAGES } from "./connection_slot.ts";
import type { ConnectionKind, SlotCounters } from "./slot_counters.ts";

/** What was done before a slot moves. */
export interface Done {
  /** What the new stage counts is counted already. */
  readonly counted?: ConnectionKind;
  /** It moves for one that came beyond the limit, which was taken off. */
  readonly overTaken?: boolean;
}

/** Sorts slots. Those that are kept, and those that are free, are in no queue: nobody need do anything about them. */
export class SlotStages {
  /** In the order in which they came to the stage. */
  readonly waiting = new Set<Slot>();
  readonly recent = new Set<Slot>();
  readonly overdue = new Set<Slot>();
  readonly parked = new Set<Slot>();
  readonly keeping = new Set<Slot>();
  readonly #counters: SlotCounters;

  constructor(counters: SlotCounters) {
    this.#counters = counters;
  }

  /** Whether nobody is in a queue. */
  get empty(): boolean {
    const { waiting, recent, overdue, parked, keeping } = this;
    return waiting.size + recent.size + overdue.size + parked.size + keeping.size === 0;
  }

  /** Moves a slot from its stage to another. */
  move(slot: Slot, to: Stage, { counted, overTaken = false }: Done = {}): void {
    const from = slot.stage;
    const before: readonly ConnectionKind[] = STAGES[from];
    const after: readonly ConnectionKind[] = STAGES[to];
    slot.stage = to;
    this.#queue(from)?.delete(slot);
    this.#queue(to)?.add(slot);
    for (const kind of after) {
      if (kind !== counted && !before.includes(kind)) this.#counters.add(kind, 1);
    }
    let left = false;
    for (const kind of before) {
      if (after.includes(kind)) continue;
      this.#counters.add(kind, -1);
      if (kind === "served" && !overTaken) this.#counters.takeOver();
      left = true;
    }
    if (from === "overdue" || to === "overdue") this.#publishOldest();
    if (left) this.#counters.changed();
    if (to === "free") slot.freed?.();
  }

  #queue(stage: Stage): Set<Slot> | undefined {
    return stage === "kept" || stage === "free" ? undefined : this[stage];
  }

  #publishOldest(): void {
    for (const slot of this.overdue) return this.#counters.setOldest(slot.came);
    this.#counters.setOldest(undefined);
  }
}
