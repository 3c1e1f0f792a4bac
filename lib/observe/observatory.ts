/** Everything that watches the stream of events, put together in the right order. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { AccessLog, CounterStore } from "../contracts/record_store.ts";
import { accessLines, accessLog } from "./access_log.ts";
import { Counters } from "./counters.ts";
import type { Observer } from "../contracts/event.ts";
import { HandshakeFailures } from "../log/handshake_failures.ts";
import { eventLog } from "./event_log.ts";
import { fanOut } from "./fan_out.ts";
import { History } from "./history.ts";
import { Hours } from "./hours.ts";
import { keepCounters, type KeptCounters } from "./kept_counters.ts";
import { type SessionListener, Sessions } from "./sessions.ts";
import { startTelemetry, type Telemetry } from "./telemetry.ts";
import { Warnings } from "./warnings.ts";

/** What the observatory writes to and tells. */
export interface ObservatoryOptions {
  /** The parts of the state that keep the past. */
  readonly state: {
    readonly accesses: Pick<AccessLog, "opened" | "completed">;
    readonly counters: CounterStore;
  };
  /** Takes the access log's lines of JSON, where there is a file for them. */
  readonly writeAccess?: ((line: string) => void) | undefined;
  /** The program's version, for telemetry. */
  readonly version: string;
  /** Makes OpenTelemetry's instruments; set where `OTEL_DENO` is `true`, as they cost time otherwise. */
  readonly telemetry?: boolean;
  /** Milliseconds between two saves of the totals. @default {500} */
  readonly saveInterval?: number;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** More observers, by name; they are told last. */
  readonly observers?: Readonly<Record<string, Observer>>;
}

/** What is known of the server, live. Disposing saves totals and the minute under way. */
export interface Observatory extends AsyncDisposable {
  /** Takes the events of all sessions. Never throws, never waits. */
  readonly observe: Observer;
  readonly sessions: Sessions;
  readonly counters: Counters;
  readonly history: History;
  readonly hours: Hours;
}

/**
 * Restores totals and history, and starts watching.
 *
 * @throws {Error} when the state cannot be read
 */
export async function openObservatory(options: ObservatoryOptions): Promise<Observatory> {
  const { state, version, telemetry = false, observers = {}, saveInterval, clock = systemClock } =
    options;
  const sessions = new Sessions(listener(options));
  const counters = new Counters(sessions);
  const kept = await keepCounters(
    counters,
    state.counters,
    saveInterval === undefined ? {} : { interval: saveInterval },
  );
  const history = new History(counters, { clock, store: state.counters });
  try {
    await history.load();
  } catch (error) {
    await kept[Symbol.asyncDispose]();
    throw error;
  }
  const minutes = history.start();
  const hours = new Hours({ store: state.counters, history, clock });
  const instruments = telemetry ? startTelemetry(counters, version) : undefined;
  const handshakes = new HandshakeFailures(undefined, clock);
  const observe = fanOut({
    // The counters read the number of open sessions, so the sessions come first.
    sessions: sessions.observe,
    counters: counters.observe,
    ...(instruments === undefined ? {} : { telemetry: instruments.observe }),
    warnings: new Warnings().observe,
    handshakes: (event) => {
      if (event.type !== "tls" || event.ok) return;
      const { session, reason } = event;
      const { address = "unknown" } = sessions.get(session) ?? {};
      handshakes.failed({ session, address, reason });
    },
    log: eventLog(),
    ...observers,
  }, { clock });
  return {
    observe,
    sessions,
    counters,
    history,
    hours,
    [Symbol.asyncDispose]: async () => {
      await close(kept, minutes, instruments);
      await hours[Symbol.asyncDispose]();
    },
  };
}

/** Who is told of sessions: the state's access log, and the file where there is one. */
function listener({ state, writeAccess }: ObservatoryOptions): SessionListener {
  const kept = accessLog(state.accesses);
  if (writeAccess === undefined) return kept;
  const lines = accessLines(writeAccess);
  return {
    opened: (session) => kept.opened?.(session),
    ended(session, reason, at): void {
      lines.ended?.(session, reason, at);
      kept.ended?.(session, reason, at);
    },
  };
}

async function close(
  kept: KeptCounters,
  minutes: AsyncDisposable,
  instruments: Telemetry | undefined,
): Promise<void> {
  instruments?.[Symbol.dispose]();
  await minutes[Symbol.asyncDispose]();
  await kept[Symbol.asyncDispose]();
}
