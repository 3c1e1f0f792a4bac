/** What a run of the benchmarks prints. */

import { type Figure, met, type Target } from "./scenario.ts";

/** The figures of one scenario, and what went wrong if it did not come to its end. */
export interface Outcome {
  readonly scenario: string;
  readonly figures: readonly Figure[];
  readonly failure?: string;
}

/** The machine that measured, for whoever reads the figures later. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly deno: string;
  /** Processes that wanted to run in the minute before: above 1, others were at work. */
  readonly load: number;
}

/** Asks the system. */
export async function machine(): Promise<Machine> {
  const line = async (path: string, pattern: RegExp): Promise<string> =>
    pattern.exec(await Deno.readTextFile(path))?.[1]?.trim() ?? "unknown";
  return {
    processor: await line("/proc/cpuinfo", /^model name\s*:(.*)$/m),
    cores: navigator.hardwareConcurrency,
    memoryGB: Math.round(Number(await line("/proc/meminfo", /^MemTotal:\s*(\d+)/m)) / 1e6),
    system: await line("/proc/version", /^(\S+ version \S+)/),
    deno: Deno.version.deno,
    load: Number(await line("/proc/loadavg", /^(\S+)/)),
  };
}

/** One line about the machine. */
export function describe({ processor, cores, memoryGB, system, deno, load }: Machine): string {
  return `${cores} cores of ${processor}, ${memoryGB} GB, ${system}, Deno ${deno}, load ${load}`;
}

/** A table of all figures: what, asked, measured, verdict. */
export function table(outcomes: readonly Outcome[]): string {
  const rows = [["scenario", "figure", "asked", "measured", ""]];
  for (const { scenario, figures, failure } of outcomes) {
    for (const figure of figures) {
      const { what, target, measured, unit } = figure;
      const verdict = { true: "ok", false: "MISSED", undefined: "" }[String(met(figure))]!;
      rows.push([scenario, what, asked(target, unit), `${rounded(measured)} ${unit}`, verdict]);
    }
    if (failure !== undefined) rows.push([scenario, failure, "", "", "FAILED"]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 2 || column === 3 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

function asked(target: Target | undefined, unit: string): string {
  if (target === undefined) return "";
  return "atLeast" in target ? `≥ ${target.atLeast} ${unit}` : `≤ ${target.atMost} ${unit}`;
}

/** Three digits that count. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}
