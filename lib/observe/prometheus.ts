/** The figures in Prometheus' text format 0.0.4. */

import type { Counters } from "./counters.ts";
import {
  DURATION_BOUNDS,
  type HistogramSample,
  type MetricDefinition,
  METRICS,
} from "./metrics.ts";

/** The media type of {@linkcode prometheusText}. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A gauge that is told beside the counters, such as the program's version. */
export interface ExtraGauge {
  /** As Prometheus names it. */
  readonly name: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * All metrics as a scrape, each with the labels that are always there. Dots become `_`, counters end in `_total`, durations are in seconds.
 *
 * @example
 * ```
 * # HELP pop3_logins_total Logins that opened a maildrop.
 * # TYPE pop3_logins_total counter
 * pop3_logins_total 17
 * ```
 */
export function prometheusText(
  counters: Counters,
  extra: readonly ExtraGauge[] = [],
  always: Readonly<Record<string, string>> = {},
): string {
  const text = textOf(counters, extra);
  const pairs = Object.entries(always).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  if (pairs.length === 0) return text;
  return text.replaceAll(
    /^([a-z]\w*)(?:\{(.*)\})?( \S+)$/gm,
    (_, name: string, labels: string | undefined, value: string) =>
      `${name}{${[...pairs, ...labels === undefined ? [] : [labels]].join()}}${value}`,
  );
}

function textOf(counters: Counters, extra: readonly ExtraGauge[]): string {
  let text = "";
  for (const metric of METRICS) {
    const name = prometheusName(metric);
    text += head(name, metric.kind, metric.help);
    if (metric.kind === "histogram") {
      for (const sample of counters.histograms()) text += histogram(name, metric, sample);
    } else {
      for (const { labels, value } of counters.samples(metric.name)) {
        text += `${name}${labelText(metric.labels, labels)} ${value}\n`;
      }
    }
  }
  for (const { name, help, labels = {}, value } of extra) {
    text += head(name, "gauge", help);
    text += `${name}${labelText(Object.keys(labels), Object.values(labels))} ${value}\n`;
  }
  return text;
}

function prometheusName({ name, kind }: MetricDefinition): string {
  const base = name.replaceAll(".", "_");
  if (kind === "counter") return `${base}_total`;
  return kind === "histogram" ? `${base}_seconds` : base;
}

function head(name: string, kind: string, help: string): string {
  const escaped = `${help}.`.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${kind}\n`;
}

function histogram(name: string, metric: MetricDefinition, sample: HistogramSample): string {
  let text = "";
  let count = 0;
  const names = [...metric.labels, "le"];
  for (let at = 0; at < sample.buckets.length; at++) {
    count += sample.buckets[at] ?? 0;
    const bound = DURATION_BOUNDS[at];
    const le = bound === undefined ? "+Inf" : String(bound / 1000);
    text += `${name}_bucket${labelText(names, [...sample.labels, le])} ${count}\n`;
  }
  const labels = labelText(metric.labels, sample.labels);
  return `${text}${name}_sum${labels} ${sample.sum / 1000}\n${name}_count${labels} ${count}\n`;
}

function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  const pairs = names.map((name, at) => `${name}="${escapeLabel(values[at] ?? "")}"`);
  return `{${pairs.join()}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
