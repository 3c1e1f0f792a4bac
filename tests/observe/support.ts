/** Events, clocks and stores for the tests of lib/observe. */

import type { ServerEvent } from "../../lib/contracts/event.ts";
import type { CounterStore, HistoryRow } from "../../lib/contracts/record_store.ts";

type Of<T extends ServerEvent["type"]> = ServerEvent & { readonly type: T };

/** A `connected` event. */
export function connected(session: string, more: Partial<Of<"connected">> = {}): ServerEvent {
  return {
    type: "connected",
    session,
    at: 1000,
    address: "192.0.2.7",
    port: 110,
    tls: undefined,
    ...more,
  };
}

/** A `login` event. */
export function login(session: string, more: Partial<Of<"login">> = {}): ServerEvent {
  return {
    type: "login",
    session,
    at: 2000,
    user: "alice",
    mechanism: "USER",
    messages: 3,
    octets: 300,
    milliseconds: 1,
    ...more,
  };
}

/** A `login-refused` event. */
export function refused(session: string, more: Partial<Of<"login-refused">> = {}): ServerEvent {
  return {
    type: "login-refused",
    session,
    at: 2000,
    address: "192.0.2.7",
    user: "alice",
    mechanism: "USER",
    reason: "credentials",
    ...more,
  };
}

/** A `command` event. */
export function command(
  session: string,
  name: string,
  more: Partial<Of<"command">> = {},
): ServerEvent {
  return { type: "command", session, name, outcome: "ok", milliseconds: 1, ...more };
}

/** A `disconnected` event. */
export function disconnected(session: string, more: Partial<Of<"disconnected">> = {}): ServerEvent {
  return { type: "disconnected", session, at: 5000, reason: "quit", ...more };
}

/** A `transformer-ended` event. */
export function transformed(more: Partial<Of<"transformer-ended">> = {}): ServerEvent {
  return {
    type: "transformer-ended",
    session: "1",
    pid: 7,
    milliseconds: 3,
    failure: undefined,
    ...more,
  };
}

/** A store of totals and minutes in memory, which can be made to fail. */
export class MemoryCounterStore implements CounterStore {
  readonly kept = new Map<string, number>();
  readonly minutes = new Map<number, ReadonlyMap<string, number>>();
  saves = 0;
  broken = false;

  readonly rolledUp = new Map<number, ReadonlyMap<string, number>>();

  appendHour(hour: number, values: ReadonlyMap<string, number>): Promise<void> {
    this.rolledUp.set(hour, values);
    return Promise.resolve();
  }

  async *hours(counter: string, since: number): AsyncGenerator<{ hour: number; value: number }> {
    for (const [hour, values] of [...this.rolledUp].sort(([a], [b]) => a - b)) {
      const value = values.get(counter);
      if (hour >= since && value !== undefined) yield { hour, value };
    }
  }

  forgetHoursBefore(hour: number): Promise<void> {
    for (const each of [...this.rolledUp.keys()]) if (each < hour) this.rolledUp.delete(each);
    return Promise.resolve();
  }

  totals(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map(this.kept));
  }

  add(deltas: ReadonlyMap<string, number>, peaks = new Map<string, number>()): Promise<void> {
    if (this.broken) return Promise.reject(new Error("the disk is full"));
    this.saves++;
    for (const [key, delta] of deltas) this.kept.set(key, (this.kept.get(key) ?? 0) + delta);
    for (const [key, peak] of peaks) this.kept.set(key, Math.max(this.kept.get(key) ?? 0, peak));
    return Promise.resolve();
  }

  append(minute: number, values: ReadonlyMap<string, number>): Promise<void> {
    if (this.broken) return Promise.reject(new Error("the disk is full"));
    this.minutes.set(minute, new Map(values));
    return Promise.resolve();
  }

  forgetBefore(minute: number): Promise<void> {
    for (const old of this.minutes.keys()) if (old < minute) this.minutes.delete(old);
    return Promise.resolve();
  }

  move({ from, to }: { from: number; to: number }, by: number): Promise<void> {
    const moved = [...this.minutes].filter(([minute]) => minute >= from && minute <= to);
    for (const [minute] of moved) this.minutes.delete(minute);
    for (const [minute, values] of moved) this.minutes.set(minute + by, values);
    return Promise.resolve();
  }

  async *history(counter: string, since: number): AsyncIterable<HistoryRow> {
    for (
      const [minute, values] of await Promise.resolve([...this.minutes].sort(([a], [b]) => a - b))
    ) {
      const value = values.get(counter);
      if (minute >= since && value !== undefined) yield { minute, value };
    }
  }
}

/** Logs what would be written, as `level: message`; everything that the tested code may call. */
export function notes(): { readonly said: string[]; readonly log: never } {
  const said: string[] = [];
  const take = (level: string) => (message: string, properties: unknown): void => {
    const values = (typeof properties === "function" ? properties() : properties) as Record<
      string,
      unknown
    >;
    said.push(`${level}: ${message.replace(/\{(\w+)\}/g, (_, name) => String(values?.[name]))}`);
  };
  const log = {
    debug: take("debug"),
    info: take("info"),
    warn: take("warning"),
    error: take("error"),
    trace: take("trace"),
    isEnabledFor: () => true,
  };
  return { said, log: log as never };
}
