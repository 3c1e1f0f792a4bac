/** Connection slots that threads share: counted in memory that all of them reach. */

import type { ConnectionSlot, ConnectionSlots } from "../contracts/connection_slots.ts";
import { Slot, type SlotKeeper, type Stage } from "./connection_slot.ts";
import { SlotCounters, slotMemory } from "./slot_counters.ts";
import {
  CROWDED_MS,
  GIVE_WAY_MS,
  LOGIN_WAIT_MS,
  LOOK_MS,
  MANY,
  MOST_A_LOOK,
  MOST_WAITING,
  reserveFor,
  SLACK_MS,
  SPARE_DESCRIPTORS,
} from "./slot_limits.ts";
import { type Done, SlotStages } from "./slot_stages.ts";

/** What slots are made from. */
export interface SharedConnectionSlotsOptions {
  /** Counters that several threads share, from {@linkcode slotMemory}. */
  readonly memory: SharedArrayBuffer;
  /** Which of the threads this is. */
  readonly thread: number;
  /** @default {GIVE_WAY_MS} */
  readonly giveWayAfter?: number;
  /** Connections without a login that may be open beyond the limit. @default {twenty times the limit, from 1 000 to 20 000} */
  readonly reserve?: number;
}

/**
 * The connection slots of one thread.
 *
 * While fewer than the limit are served, whoever comes is served at once. Beyond it, the oldest connection that has not logged in and
 * is older than three seconds gives way to a newcomer. Where there is none, newcomers wait, not greeted, until one ends or is old
 * enough. A server where that has just happened, or where very many wait, is crowded: newcomers are then greeted at once, beyond the
 * limit, and those that do not log in give way as soon as they are old enough. Where all have logged in, nobody comes in.
 */
export class SharedConnectionSlots implements ConnectionSlots, SlotKeeper {
  readonly #counters: SlotCounters;
  readonly #giveWayAfter: number;
  readonly #reserve: number | undefined;
  readonly #stages: SlotStages;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isWatching = false;
  /** How many gave way since the last look. */
  #gaveWay = 0;

  constructor(options: SharedConnectionSlotsOptions) {
    this.#counters = new SlotCounters(options.memory, options.thread);
    this.#stages = new SlotStages(this.#counters);
    this.#giveWayAfter = options.giveWayAfter ?? GIVE_WAY_MS;
    this.#reserve = options.reserve;
  }

  /** Slots of one thread alone. */
  static ofOneThread(
    limit: number,
    options: Omit<SharedConnectionSlotsOptions, "memory" | "thread"> = {},
  ): SharedConnectionSlots {
    return new SharedConnectionSlots({ ...options, memory: slotMemory(limit, 1), thread: 0 });
  }

  /** How many connections of all threads are served. */
  get served(): number {
    return this.#counters.total("served");
  }

  /** Sets how many are served at once, by all threads. */
  setLimit(limit: number): void {
    this.#counters.setLimit(limit);
  }

  /** Gives back all slots of this thread, which is gone. */
  forgetThread(): void {
    this.#counters.forgetThread();
  }

  async available(): Promise<void> {
    for (;;) {
      // Read before the counts, so that a change in between is not slept through.
      const seen = this.#counters.changes;
      if (this.#mayAccept()) return;
      await this.#counters.change(seen);
    }
  }

  enter(giveWay: () => void): ConnectionSlot {
    this.#age();
    if (this.#isFull()) this.#displace(this.#first("any"));
    else if (this.#isAtCeiling()) this.#displace(this.#first("overdue"));
    const slot = new Slot(this, giveWay);
    const isNext = this.#stages.waiting.size === 0 || this.#isCrowded();
    if (!isNext || !this.#serve(slot)) this.#wait(slot);
    this.#giveWay();
    return slot;
  }

  outOfDescriptors(): boolean {
    this.#crowd();
    this.#counters.lowerCeiling(Math.max(1, this.#counters.total("open") - SPARE_DESCRIPTORS));
    this.#age();
    let displaced = 0;
    while (displaced < SPARE_DESCRIPTORS && this.#displace(this.#first("overdue"))) displaced++;
    return displaced > 0;
  }

  /** See {@linkcode ConnectionSlot.keep}. */
  keep(slot: Slot, gone: AbortSignal): boolean | Promise<boolean> {
    if (slot.stage === "free" || slot.stage === "kept") return slot.stage === "kept";
    this.#move(slot, "keeping");
    return this.#tryToKeep(slot) || this.#waitToKeep(slot, gone);
  }

  /** See {@linkcode ConnectionSlot.release}. */
  release(slot: Slot): void {
    if (slot.stage === "kept") this.#move(slot, "recent");
  }

  /** See {@linkcode ConnectionSlot.park}. */
  park(slot: Slot): void {
    if (slot.stage === "recent" || slot.stage === "overdue") this.#move(slot, "parked");
  }

  /** See {@linkcode ConnectionSlot.resume}. */
  resume(slot: Slot): void {
    if (slot.stage !== "parked") return;
    const counted = this.#counters.addBelowLimit("served");
    if (!counted) this.#counters.addOver();
    const stage = clock() - slot.came < this.#giveWayAfter ? "recent" : "overdue";
    this.#move(slot, stage, counted ? { counted: "served" } : {});
  }

  /** See {@linkcode ConnectionSlot.free}. */
  free(slot: Slot): void {
    if (slot.stage === "free") return;
    this.#move(slot, "free");
    slot.settle?.(false);
  }

  /** Serves a newcomer, where one may be. */
  #serve(slot: Slot): boolean {
    const counters = this.#counters;
    if (counters.total("loggedIn") >= counters.limit) return false;
    const counted = counters.addBelowLimit("served");
    if (!counted) {
      const isOneOverdue = counters.total("overdue") > counters.over;
      if (!isOneOverdue && !this.#isCrowded()) return false;
      counters.addOver();
    }
    slot.came = clock();
    this.#move(slot, "recent", counted ? { counted: "served" } : {});
    return true;
  }

  #wait(slot: Slot): void {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    slot.admitted = promise;
    slot.settle = resolve;
    this.#move(slot, "waiting");
    if (this.#counters.total("waiting") >= MOST_WAITING) {
      this.#crowd();
      this.#admit();
    }
    void this.#watch();
  }

  #tryToKeep(slot: Slot): boolean {
    if (!this.#counters.addBelowLimit("loggedIn")) return false;
    this.#move(slot, "kept", { counted: "loggedIn" });
    return true;
  }

  async #waitToKeep(slot: Slot, gone: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    slot.settle = resolve;
    const giveUp = (): void => resolve(false);
    const timer = setTimeout(giveUp, LOGIN_WAIT_MS);
    gone.addEventListener("abort", giveUp, { once: true });
    if (gone.aborted) giveUp();
    void this.#watch();
    const kept = await promise;
    slot.settle = undefined;
    clearTimeout(timer);
    gone.removeEventListener("abort", giveUp);
    if (slot.stage === "keeping") this.#move(slot, "overdue");
    return kept;
  }

  /** Looks after those that wait whenever something has changed in any thread. */
  async #watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { waiting, keeping } = this.#stages;
    for (;;) {
      const seen = this.#counters.changes;
      this.#admit();
      if (waiting.size + keeping.size === 0) break;
      await this.#counters.change(seen);
    }
    this.#isWatching = false;
  }

  #look(): void {
    this.#gaveWay = 0;
    this.#isCrowded(); // It may be over, and the ceiling with it.
    this.#age();
    this.#giveWay();
    this.#admit();
  }

  #age(): void {
    const before = clock() - this.#giveWayAfter;
    let isOne = false;
    for (const slot of this.#stages.recent) {
      if (slot.came > before) break;
      this.#move(slot, "overdue");
      isOne = true;
    }
    // A listener may have waited for one that can make room.
    if (isOne && this.#isAtCeiling()) this.#counters.changed();
  }

  /** Lets this thread's oldest give way while they are the oldest of all, and somebody is served beyond the limit. */
  #giveWay(): void {
    const counters = this.#counters;
    for (const slot of this.#stages.overdue) {
      const { over } = counters;
      if (
        over === 0 || this.#gaveWay >= MOST_A_LOOK ||
        !counters.isOldest(slot.came, over > MANY ? SLACK_MS : 0)
      ) return;
      if (!counters.takeOver()) return;
      this.#gaveWay++;
      this.#displace(slot, { overTaken: true });
    }
  }

  /** Admits those that wait, first those that have logged in. */
  #admit(): void {
    for (const slot of this.#stages.keeping) {
      if (!this.#tryToKeep(slot)) return;
      slot.settle?.(true);
    }
    for (const slot of this.#stages.waiting) {
      if (!this.#serve(slot)) return;
      slot.settle?.(true);
    }
  }

  /** Whether another connection may be accepted: there is room for it, or one that makes some. */
  #mayAccept(): boolean {
    if (this.#counters.total("loggedIn") >= this.#counters.limit) return false;
    if (this.#isFull()) return this.#first("any") !== undefined;
    return !this.#isAtCeiling() || this.#first("overdue") !== undefined;
  }

  /** Who would give way first. */
  #first(age: "overdue" | "any"): Slot | undefined {
    const { overdue, parked, recent } = this.#stages;
    const stages = age === "any" ? [overdue, parked, recent] : [overdue];
    for (const stage of stages) for (const slot of stage) return slot;
    return undefined;
  }

  #displace(slot: Slot | undefined, done: Done = {}): boolean {
    if (slot === undefined) return false;
    this.#crowd();
    this.#move(slot, "free", done);
    slot.giveWay();
    return true;
  }

  #isFull(): boolean {
    const { limit } = this.#counters;
    return this.#counters.total("open") >= limit + (this.#reserve ?? reserveFor(limit));
  }

  #isAtCeiling(): boolean {
    const { ceiling } = this.#counters;
    return ceiling !== undefined && this.#counters.total("open") >= ceiling && this.#isCrowded();
  }

  #crowd(): void {
    this.#counters.setCrowded(clock() + CROWDED_MS);
  }

  #isCrowded(): boolean {
    return this.#counters.isCrowded(clock());
  }

  #move(slot: Slot, to: Stage, done: Done = {}): void {
    this.#stages.move(slot, to, done);
    // Nothing need be looked at while nobody waits, and all have logged in.
    if (!this.#stages.empty || this.#counters.ceiling !== undefined) {
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    } else if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}

/** Milliseconds on a clock that all threads have. */
function clock(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
