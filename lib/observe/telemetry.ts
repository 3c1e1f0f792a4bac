/** The same figures by OpenTelemetry's API; Deno's built-in exporter sends them where `OTEL_DENO=true`. */

import {
  type Histogram,
  type Meter,
  type MetricOptions,
  metrics,
  type Observable,
  type ObservableResult,
} from "@opentelemetry/api";
import type { Counters } from "./counters.ts";
import type { Observer } from "../contracts/event.ts";
import { DURATION_BOUNDS, labelValue, type MetricDefinition, METRICS } from "./metrics.ts";

/** The instruments. Disposing takes them back. */
export interface Telemetry extends Disposable {
  /** Records what the counters cannot give afterwards: each command's duration. */
  readonly observe: Observer;
}

/**
 * Makes an instrument for every metric. Counters and gauges are read when the exporter asks, so they cost nothing an event;
 * a command's duration is recorded as it happens.
 *
 * @param counters restored already: the totals that are exported go on where the last run ended
 * @param version of the program, the meter's version
 */
export function startTelemetry(counters: Counters, version: string): Telemetry {
  const meter = metrics.getMeter("postern", version);
  const undo: (() => void)[] = [];
  let durations: Histogram | undefined;
  for (const metric of METRICS) {
    const options = { description: metric.help, unit: metric.unit };
    if (metric.kind === "histogram") {
      durations = meter.createHistogram(metric.name, {
        ...options,
        advice: { explicitBucketBoundaries: DURATION_BOUNDS.map((bound) => bound / 1000) },
      });
      continue;
    }
    const instrument = observable(meter, metric, options);
    const read = (result: ObservableResult): void => {
      for (const { labels, value } of counters.samples(metric.name)) {
        result.observe(value, attributes(metric, labels));
      }
    };
    instrument.addCallback(read);
    undo.push(() => instrument.removeCallback(read));
  }
  const known = new Map<string, Record<string, string>>();
  return {
    observe: (event) => {
      if (event.type !== "command") return;
      durations?.record(event.milliseconds / 1000, commandAttributes(known, event.name));
    },
    [Symbol.dispose]: () => undo.forEach((take) => take()),
  };
}

/** Open sessions of several servers add up, so they are an up/down counter; the most at once do not, so they are a gauge. */
function observable(
  meter: Meter,
  { name, kind }: MetricDefinition,
  options: MetricOptions,
): Observable {
  if (kind === "counter") return meter.createObservableCounter(name, options);
  return name === "pop3.sessions.active"
    ? meter.createObservableUpDownCounter(name, options)
    : meter.createObservableGauge(name, options);
}

function attributes(metric: MetricDefinition, labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(metric.labels.map((name, at) => [name, labels[at] ?? ""]));
}

/** The attributes of one command, made once; names beyond the bound share one. */
function commandAttributes(
  known: Map<string, Record<string, string>>,
  command: string,
): Record<string, string> {
  const before = known.get(command);
  if (before !== undefined) return before;
  const name = known.size < 31 ? command : "other";
  const made = known.get(name) ?? { command: labelValue(name) };
  known.set(name, made);
  return made;
}
