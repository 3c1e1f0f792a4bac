/** All counters of the server, made from the stream of events and nothing else. */

import type { Observer, ServerEvent } from "../contracts/event.ts";
import {
  DURATION_BOUNDS,
  type HistogramSample,
  labelValue,
  type MetricName,
  METRICS,
  type Sample,
} from "./metrics.ts";

/** Different values of one metric's labels that are told apart; what comes later is counted as `other`. */
const MOST_SERIES = 64;

interface Cell {
  value: number;
  readonly labels: readonly string[];
}

interface CommandCells {
  readonly ok: Cell;
  readonly error: Cell;
  readonly duration: { readonly labels: readonly string[]; buckets: Float64Array; sum: number };
}

/** One counter with all its label values, of which there is a bounded number. */
class Series {
  readonly cells = new Map<string, Cell>();

  cell(...labels: readonly string[]): Cell {
    let key = labels.join();
    let cell = this.cells.get(key);
    if (cell !== undefined) return cell;
    let values = labels.map(labelValue);
    if (this.cells.size >= MOST_SERIES) values = values.map(() => "other");
    key = values.join();
    cell = this.cells.get(key);
    if (cell === undefined) this.cells.set(key, cell = { value: 0, labels: values });
    return cell;
  }

  get total(): number {
    let total = 0;
    for (const cell of this.cells.values()) total += cell.value;
    return total;
  }
}

/**
 * Counts what happens. {@linkcode Counters.observe} takes well under a microsecond an event and allocates nothing
 * once a label's value has been seen.
 */
export class Counters {
  readonly #sessions: { readonly size: number };
  readonly #series = new Map<MetricName, Series>();
  readonly #commands = new Map<string, CommandCells>();
  readonly #connections: Cell;
  readonly #logins: Cell;
  readonly #retrieved: Cell;
  readonly #deleted: Cell;
  readonly #sent: Cell;
  readonly #runs: Cell;
  #peak = 0;
  #revision = 0;

  /** @param sessions the open sessions; it must be told of each event before the counters are */
  constructor(sessions: { readonly size: number }) {
    this.#sessions = sessions;
    for (const { name, kind } of METRICS) {
      if (kind === "counter") this.#series.set(name, new Series());
    }
    this.#connections = this.#of("pop3.connections").cell();
    this.#logins = this.#of("pop3.logins").cell();
    this.#retrieved = this.#of("pop3.messages.retrieved").cell();
    this.#deleted = this.#of("pop3.messages.deleted").cell();
    this.#sent = this.#of("pop3.bytes.sent").cell();
    this.#runs = this.#of("pop3.transformer.runs").cell();
  }

  /** Grows whenever a total changed. */
  get revision(): number {
    return this.#revision;
  }

  /** Counts one event. */
  readonly observe: Observer = (event: ServerEvent): void => {
    this.#revision++;
    switch (event.type) {
      case "command":
        return this.#command(event.name, event.outcome, event.milliseconds);
      case "sent":
        this.#sent.value += event.octets;
        return;
      case "retrieved":
        this.#retrieved.value++;
        return;
      case "connected":
        this.#connections.value++;
        this.#peak = Math.max(this.#peak, this.#sessions.size);
        return;
      case "login":
        this.#logins.value++;
        this.#of("pop3.auth.attempts").cell(event.mechanism).value++;
        return;
      case "login-refused":
        this.#of("pop3.auth.attempts").cell(event.mechanism).value++;
        this.#of(refusalMetric(event.reason)).cell(event.mechanism, event.reason).value++;
        return;
      case "deleted":
        this.#deleted.value += event.messages;
        return;
      case "transformer-ended":
        this.#runs.value++;
        if (event.failure !== undefined) {
          this.#of("pop3.transformer.failures").cell(event.failure).value++;
        }
        return;
      case "tls":
        this.#of("pop3.tls.handshakes").cell(event.ok ? "ok" : "failed").value++;
        return;
      case "transformer-started":
      case "disconnected":
        return;
    }
  };

  /**
   * One figure: of a counter the sum over all its labels, of `pop3.command.duration` the mean in milliseconds.
   *
   * @returns undefined where there is no metric of that name
   */
  get(name: string): number | undefined {
    if (name === "pop3.sessions.active") return this.#sessions.size;
    if (name === "pop3.sessions.peak") return this.#peak;
    if (name === "pop3.command.duration") {
      const { count, sum } = this.durations();
      return count === 0 ? 0 : Math.round(sum / count * 1000) / 1000;
    }
    return this.#series.get(name as MetricName)?.total;
  }

  /** Every figure by its name, in the order of the list of metrics, as {@linkcode get} gives it. */
  figures(): Record<MetricName, number> {
    const entries = METRICS.map(({ name }) => [name, this.get(name) ?? 0]);
    return Object.fromEntries(entries);
  }

  /** How many commands were timed, and how many milliseconds they took together. */
  durations(): { readonly count: number; readonly sum: number } {
    let count = 0;
    let sum = 0;
    for (const { duration } of this.#commands.values()) {
      for (const n of duration.buckets) count += n;
      sum += duration.sum;
    }
    return { count, sum };
  }

  /** The numbers of one counter or gauge, a number for each of its labels' values. */
  samples(name: MetricName): readonly Sample[] {
    const series = this.#series.get(name);
    if (series !== undefined) return [...series.cells.values()];
    return [{ labels: [], value: this.get(name) ?? 0 }];
  }

  /** The histograms of `pop3.command.duration`. */
  histograms(): readonly HistogramSample[] {
    return Array.from(this.#commands.values(), (cells) => cells.duration);
  }

  /** What must outlive the process, by a metric's name with its labels' values: `name{a,b}`. */
  totals(): Map<string, number> {
    const totals = new Map<string, number>([["pop3.sessions.peak", this.#peak]]);
    for (const [name, series] of this.#series) {
      for (const { labels, value } of series.cells.values()) totals.set(keyOf(name, labels), value);
    }
    for (const { duration } of this.#commands.values()) {
      for (const [at, value] of duration.buckets.entries()) {
        if (value > 0) {
          totals.set(keyOf("pop3.command.duration", [...duration.labels, `${at}`]), value);
        }
      }
      totals.set(keyOf("pop3.command.duration", [...duration.labels, "sum"]), duration.sum);
    }
    return totals;
  }

  /** Adds what earlier runs counted. Keys that mean nothing (any more) are passed over. */
  restore(totals: ReadonlyMap<string, number>): void {
    for (const [key, value] of totals) {
      if (!(value >= 0 && Number.isFinite(value))) continue;
      const match = /^([\w.]+)(?:\{(.*)\})?$/.exec(key);
      const name = match?.[1];
      const labels = match?.[2] === undefined ? [] : match[2].split(",");
      if (name === "pop3.sessions.peak") this.#peak = Math.max(this.#peak, value);
      else if (name === "pop3.command.duration") this.#restoreDuration(labels, value);
      else this.#restoreCounter(name, labels, value);
    }
  }

  #restoreCounter(name: string | undefined, labels: readonly string[], value: number): void {
    const definition = METRICS.find((metric) => metric.name === name && metric.kind === "counter");
    if (definition === undefined || definition.labels.length !== labels.length) return;
    const [first = "", second] = labels;
    if (definition.name === "pop3.commands") {
      if (second === "ok" || second === "error") this.#cells(first)[second].value += value;
    } else if (definition.name === "pop3.auth.failures") {
      // Earlier versions counted all that was refused as failed.
      this.#of(refusalMetric(second ?? "")).cell(...labels).value += value;
    } else this.#of(definition.name).cell(...labels).value += value;
  }

  #restoreDuration([command, bucket]: readonly string[], value: number): void {
    if (command === undefined || bucket === undefined) return;
    const { duration } = this.#cells(command);
    if (bucket === "sum") duration.sum += value;
    else if (Number(bucket) in duration.buckets) duration.buckets[Number(bucket)]! += value;
  }

  #command(name: string, outcome: "ok" | "error", milliseconds: number): void {
    const cells = this.#commands.get(name) ?? this.#cells(name);
    if (outcome === "ok") cells.ok.value++;
    else cells.error.value++;
    const { duration } = cells;
    duration.sum += milliseconds;
    let at = 0;
    while (at < DURATION_BOUNDS.length && milliseconds > DURATION_BOUNDS[at]!) at++;
    duration.buckets[at]!++;
  }

  #cells(command: string): CommandCells {
    // Twice as many series as commands, as each has two outcomes.
    const known = this.#commands.has(command) || this.#commands.size < MOST_SERIES / 2 - 1;
    const name = known ? labelValue(command) : "other";
    let cells = this.#commands.get(name);
    if (cells === undefined) {
      const series = this.#of("pop3.commands");
      cells = {
        ok: series.cell(name, "ok"),
        error: series.cell(name, "error"),
        duration: { labels: [name], buckets: new Float64Array(DURATION_BOUNDS.length + 1), sum: 0 },
      };
      this.#commands.set(name, cells);
    }
    return cells;
  }

  #of(name: MetricName): Series {
    const series = this.#series.get(name);
    if (series === undefined) throw new TypeError(`${name} is no counter.`);
    return series;
  }
}

/** Who has the right credentials has not failed: the maildrop may be in use, or the server out of order. */
function refusalMetric(reason: string): "pop3.auth.failures" | "pop3.auth.refusals" {
  return reason === "credentials" || reason === "banned"
    ? "pop3.auth.failures"
    : "pop3.auth.refusals";
}

function keyOf(name: string, labels: readonly string[]): string {
  return labels.length === 0 ? name : `${name}{${labels.join()}}`;
}
