/** Figures as people read them: counts, octets, durations. */

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const OCTETS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** How a figure is written. */
export type Unit = "count" | "octets" | "milliseconds";

/** Writes a figure in its unit, with three digits where it is not a count. */
export function inUnit(value: number, unit: Unit): string {
  if (unit === "count") return COUNT.format(value);
  if (unit === "milliseconds") {
    return value < 1000 ? `${SMALL.format(value)} ms` : `${SMALL.format(value / 1000)} s`;
  }
  let size = value;
  let at = 0;
  while (size >= 999.5 && at < OCTETS.length - 1) {
    size /= 1000;
    at++;
  }
  return `${SMALL.format(size)} ${OCTETS[at]}`;
}

/** Writes how long something lasted, by its two largest units. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([n]) => n > 0);
  if (first === -1) return "0 s";
  return parts.slice(first, first + 2).filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`).join(" ");
}

/** The smallest number of the form 1, 2 or 5 times a power of ten that is not below `value`; the top of a chart. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((n) => n * power >= value) ?? 10;
  return factor * power;
}
