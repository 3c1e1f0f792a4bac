/** A chart of the last hour as inline SVG, drawn on the server: a bar a minute, or a line. */

import type { MinuteValue } from "../../observe/history.ts";
import { type Html, markup } from "./html.ts";
import { inUnit, niceCeiling, type Unit } from "../../bytes/units.ts";

/** Minutes across. */
export const CHART_MINUTES = 60;

const MINUTE = 60_000;
/** The drawing's own units; it is stretched to the width that the page has. */
const WIDTH = 600;
const HEIGHT = 120;
const SLOT = WIDTH / CHART_MINUTES;

/** What a chart shows. */
export interface ChartOptions {
  readonly title: string;
  readonly unit: Unit;
  /** `bars` for what happened within a minute, `line` for what stood at its end. */
  readonly shape: "bars" | "line";
  /** The minutes that are known, the oldest first; missing ones stay empty. */
  readonly values: readonly MinuteValue[];
  /** Milliseconds since 1970; the last minute is the one under way. */
  readonly now: number;
}

interface Point {
  /** 0 is the oldest minute. */
  readonly slot: number;
  readonly value: number;
  readonly minute: number;
}

/** Draws a chart with its title, its highest value, and a text for those who do not see it. */
export function chart(options: ChartOptions): Html {
  const { title, unit, shape, now } = options;
  const points = pointsOf(options.values, now);
  const most = points.reduce((highest, { value }) => Math.max(highest, value), 0);
  const top = unit === "count" ? Math.max(2, niceCeiling(most)) : niceCeiling(most);
  const last = points.at(-1)?.value ?? 0;
  const path = shape === "bars" ? bars(points, top) : line(points, top);
  const summary = `${title} in the last hour: now ${inUnit(last, unit)}, at most ${
    inUnit(most, unit)
  } in a minute.`;
  return markup`<figure class="chart ${shape}">
<figcaption><span>${title}</span><b>${inUnit(last, unit)}</b></figcaption>
<div class="plot"><span class="top">${inUnit(top, unit)}</span>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${summary}">
<path class="grid" d="M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}"/>
${path}${points.map((point) => hover(point, unit))}</svg></div>
<div class="ticks" aria-hidden="true"><span>60 min ago</span><span>30</span><span>now</span></div>
</figure>`;
}

function pointsOf(values: readonly MinuteValue[], now: number): readonly Point[] {
  const oldest = Math.floor(now / MINUTE) - CHART_MINUTES + 1;
  return values
    .map(({ minute, value }) => ({ minute, value, slot: Math.round(minute / MINUTE) - oldest }))
    .filter(({ slot }) => slot >= 0 && slot < CHART_MINUTES);
}

function height(value: number, top: number): number {
  return Math.round(Math.max(0, value) / top * (HEIGHT - 4) * 10) / 10;
}

function bars(points: readonly Point[], top: number): Html {
  let d = "";
  for (const { slot, value } of points) {
    if (value <= 0) continue;
    // What is there must be seen, however small it is.
    const tall = Math.max(1.5, height(value, top));
    d += `M${slot * SLOT + 1} ${HEIGHT}v-${tall}h${SLOT - 2}v${tall}z`;
  }
  return markup`
    <path class="bar" d="${d}" />
  `;
}

function line(points: readonly Point[], top: number): Html {
  let stroke = "";
  let fill = "";
  for (const [from, to] of runs(points)) {
    const run = points.slice(from, to);
    const steps = run.map(({ slot, value }) =>
      `${slot * SLOT} ${HEIGHT - 1 - height(value, top)}H${(slot + 1) * SLOT}`
    );
    const start = (run[0]?.slot ?? 0) * SLOT;
    stroke += `M${steps.join("L")}`;
    fill += `M${start} ${HEIGHT}L${steps.join("L")}V${HEIGHT}z`;
  }
  return markup`
    <path class="area" d="${fill}" />
    <path class="stroke" d="${stroke}" />
  `;
}

/** Where minutes follow on each other without a gap. */
function runs(points: readonly Point[]): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  for (const [at, { slot }] of points.entries()) {
    const run = found.at(-1);
    if (run !== undefined && points[at - 1]?.slot === slot - 1) run[1] = at + 1;
    else found.push([at, at + 1]);
  }
  return found;
}

function hover({ slot, value, minute }: Point, unit: Unit): Html {
  const time = new Date(minute).toISOString().slice(11, 16);
  return markup`<rect x="${slot * SLOT}" width="${SLOT}" height="${HEIGHT}"><title>${time} UTC: ${
    inUnit(value, unit)
  }</title></rect>`;
}
