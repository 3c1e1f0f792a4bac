/** Draws numbers as a row of small bars. */

const BARS = "▁▂▃▄▅▆▇█";

/**
 * Draws the last values, the newest at the right; nothing at all is a blank.
 *
 * @param width columns
 */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(...shown, 0);
  const bars = shown.map((value) => {
    if (!(value > 0) || most === 0) return " ";
    return BARS[Math.min(BARS.length - 1, Math.ceil(value / most * BARS.length) - 1)]!;
  });
  return bars.join("").padStart(width);
}
