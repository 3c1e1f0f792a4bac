/** How far back charts go, and in what steps; and the figures of a span as CSV and JSON. */

import type { HourValue } from "../../observe/hours.ts";
import type { MinuteValue } from "../../observe/history.ts";
import { METRICS } from "../../observe/metrics.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far back a chart goes. */
export interface Span {
  /** In the page's address, and in words: `day`. */
  readonly name: "hour" | "day" | "week" | "month" | "year";
  /** Steps across. */
  readonly slots: number;
  /** Milliseconds of a step. */
  readonly step: number;
  /** What the step is called behind "a": `minute`. */
  readonly each: string;
  /** Texts below a chart, from left to right. */
  readonly ticks: readonly string[];
}

/** Every span; the first is shown unless another is asked for. */
export const SPANS: readonly [Span, ...Span[]] = [
  { name: "hour", slots: 60, step: MINUTE, each: "minute", ticks: ["60 min ago", "30", "now"] },
  { name: "day", slots: 96, step: 15 * MINUTE, each: "quarter", ticks: ["24 h ago", "12", "now"] },
  { name: "week", slots: 168, step: HOUR, each: "hour", ticks: ["7 days ago", "now"] },
  {
    name: "month",
    slots: 120,
    step: 6 * HOUR,
    each: "6 hours",
    ticks: ["30 days ago", "15", "now"],
  },
  {
    name: "year",
    slots: 122,
    step: 3 * DAY,
    each: "3 days",
    ticks: ["366 days ago", "183", "now"],
  },
];

/** A step of a chart. */
export interface Point {
  /** Its beginning, milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** Where the figures of the past come from. */
export interface PastFigures {
  /** The last minutes of a metric, of a week at most; undefined where there is no such metric. */
  history(name: string, minutes: number): readonly MinuteValue[] | undefined;
  /** The last hours of a metric, of two years at most. */
  hours(name: string, hours: number): Promise<readonly HourValue[] | undefined>;
}

/** The steps of a span that are known, the oldest first: sums of counters, highest values of gauges, means of durations. */
export async function pointsOf(data: PastFigures, name: string, span: Span): Promise<Point[]> {
  const past = span.slots * span.step;
  const rows = span.step < HOUR
    ? (data.history(name, past / MINUTE) ?? []).map(({ minute: at, value }) => ({ at, value }))
    : (await data.hours(name, past / HOUR) ?? []).map(({ hour: at, value }) => ({ at, value }));
  const kind = METRICS.find((metric) => metric.name === name)?.kind ?? "gauge";
  const steps = new Map<number, number[]>();
  for (const { at, value } of rows) {
    // A time without a command has no duration.
    if (kind === "histogram" && value === 0) continue;
    const begin = Math.floor(at / span.step) * span.step;
    steps.set(begin, [...steps.get(begin) ?? [], value]);
  }
  return [...steps].map(([at, values]) => {
    const sum = values.reduce((all, value) => all + value, 0);
    const value = kind === "counter"
      ? sum
      : kind === "gauge"
      ? Math.max(...values)
      : sum / values.length;
    return { at, value };
  });
}

/** Hours of an export unless the address says otherwise: a week. */
const USUAL_HOURS = 7 * 24;
const MOST_HOURS = 2 * 366 * 24;

/**
 * Every metric by hours: `/history.csv?hours=48`, `/history.json`.
 *
 * @returns undefined where the number of hours is none
 */
export async function exported(
  data: PastFigures,
  format: "csv" | "json",
  asked: string | null,
): Promise<string | undefined> {
  const hours = asked === null ? USUAL_HOURS : /^\d{1,5}$/.test(asked) ? Number(asked) : 0;
  if (hours < 1 || hours > MOST_HOURS) return undefined;
  const rows = new Map<number, Record<string, number>>();
  for (const { name } of METRICS) {
    for (const { hour, value } of await data.hours(name, hours) ?? []) {
      rows.set(hour, { ...rows.get(hour), [name]: value });
    }
  }
  const sorted = [...rows].sort(([one], [other]) => one - other)
    .map(([hour, values]) => ({ time: new Date(hour).toISOString(), ...values }));
  if (format === "json") return `${JSON.stringify(sorted)}\n`;
  const names = ["time", ...METRICS.map(({ name }) => name)];
  const lines = sorted.map((row: Readonly<Record<string, string | number>>) =>
    names.map((name) => row[name] ?? "").join(",")
  );
  return `${[names.join(","), ...lines].join("\n")}\n`;
}
