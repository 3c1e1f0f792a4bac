/** The list of metrics: their names, what they mean, and how they are told apart by labels. */

/** What a metric is and how it is shown everywhere. */
export interface MetricDefinition {
  /** The dotted name, as STAT, HISTORY and OpenTelemetry know it. */
  readonly name: MetricName;
  /** A counter only grows; a gauge is what is now; a histogram sorts durations. */
  readonly kind: "counter" | "gauge" | "histogram";
  /** UCUM, as OpenTelemetry wants it; `By` is octets, `s` seconds, `{…}` counted things. */
  readonly unit: string;
  /** One sentence without its full stop. */
  readonly help: string;
  /** Names of its labels, in order. */
  readonly labels: readonly string[];
}

/** The names of all metrics. */
export type MetricName =
  | "pop3.sessions.active"
  | "pop3.sessions.peak"
  | "pop3.connections"
  | "pop3.commands"
  | "pop3.command.duration"
  | "pop3.auth.attempts"
  | "pop3.auth.failures"
  | "pop3.auth.refusals"
  | "pop3.logins"
  | "pop3.messages.retrieved"
  | "pop3.messages.deleted"
  | "pop3.bytes.sent"
  | "pop3.transformer.runs"
  | "pop3.transformer.failures"
  | "pop3.tls.handshakes";

function counter(
  name: MetricName,
  unit: string,
  help: string,
  labels: readonly string[] = [],
): MetricDefinition {
  return { name, kind: "counter", unit, help, labels };
}

function gauge(name: MetricName, unit: string, help: string): MetricDefinition {
  return { name, kind: "gauge", unit, help, labels: [] };
}

/** Every metric, in the order in which lists show them. */
export const METRICS: readonly MetricDefinition[] = [
  gauge("pop3.sessions.active", "{session}", "POP3 sessions that are open now"),
  gauge("pop3.sessions.peak", "{session}", "Most POP3 sessions that were ever open at once"),
  counter("pop3.connections", "{connection}", "Connections accepted on the POP3 ports"),
  counter("pop3.commands", "{command}", "POP3 commands answered", ["command", "outcome"]),
  {
    name: "pop3.command.duration",
    kind: "histogram",
    unit: "s",
    help:
      "Time that the server worked on a command, without what it waited for clients, penalties and locks",
    labels: ["command"],
  },
  counter("pop3.auth.attempts", "{attempt}", "Login attempts answered", ["mechanism"]),
  counter(
    "pop3.auth.failures",
    "{attempt}",
    "Login attempts with wrong credentials, or from whoever is banned",
    [
      "mechanism",
      "reason",
    ],
  ),
  counter(
    "pop3.auth.refusals",
    "{attempt}",
    "Login attempts refused for other reasons than credentials",
    [
      "mechanism",
      "reason",
    ],
  ),
  counter("pop3.logins", "{login}", "Logins that opened a maildrop"),
  counter("pop3.messages.retrieved", "{message}", "Messages sent whole"),
  counter("pop3.messages.deleted", "{message}", "Messages deleted at the end of a session"),
  counter("pop3.bytes.sent", "By", "Octets written to POP3 clients, before TLS"),
  counter("pop3.transformer.runs", "{run}", "Transformer runs that ended, well or not"),
  counter("pop3.transformer.failures", "{run}", "Transformer runs that failed", ["reason"]),
  counter("pop3.tls.handshakes", "{handshake}", "TLS handshakes that ended", ["outcome"]),
];

/** Upper ends of the buckets of `pop3.command.duration`, in milliseconds; the last bucket has none. */
export const DURATION_BOUNDS: readonly number[] = [
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  25,
  50,
  100,
  250,
  500,
  1000,
  2500,
  10_000,
];

/** One number of a counter or gauge, with its labels' values in the order of {@linkcode MetricDefinition.labels}. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number;
}

/** One histogram, with its labels' values. */
export interface HistogramSample {
  readonly labels: readonly string[];
  /** How many fell into each bucket alone, not added up; one more than {@linkcode DURATION_BOUNDS}. */
  readonly buckets: ArrayLike<number>;
  /** All durations added up, in milliseconds. */
  readonly sum: number;
}

/** Makes a label's value harmless and short. */
export function labelValue(text: string): string {
  return text.slice(0, 40).replace(/[^\w.:?@+/-]/g, "_") || "_";
}
