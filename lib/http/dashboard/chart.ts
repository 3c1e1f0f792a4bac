/** A chart of the past as inline SVG, drawn on the server: a bar a step, or a line. */

import { type Html, markup } from "./html.ts";
import type { Point, Span } from "./spans.ts";
import { inUnit, niceCeiling, type Unit } from "../../bytes/units.ts";

/** The drawing's own units; it is stretched to the width that the page has. */
const WIDTH = 600;
const HEIGHT = 120;

/** What a chart shows. */
export interface ChartOptions {
  readonly title: string;
  readonly unit: Unit;
  /** `bars` for what happened within a step, `line` for what stood in it. */
  readonly shape: "bars" | "line";
  readonly span: Span;
  /** The steps that are known, the oldest first; missing ones stay empty. */
  readonly values: readonly Point[];
  /** Milliseconds since 1970; the last step is the one under way. */
  readonly now: number;
}

interface Placed extends Point {
  /** 0 is the oldest step. */
  readonly slot: number;
}

/** Draws a chart with its title, its highest value, and a text for those who do not see it. */
export function chart(options: ChartOptions): Html {
  const { title, unit, shape, span, now } = options;
  const points = placed(options.values, span, now);
  const width = WIDTH / span.slots;
  const most = points.reduce((highest, { value }) => Math.max(highest, value), 0);
  const top = unit === "count" ? Math.max(2, niceCeiling(most)) : niceCeiling(most);
  const last = points.at(-1)?.value ?? 0;
  const path = shape === "bars" ? bars(points, top, width) : line(points, top, width);
  const summary = `${title} in the last ${span.name}: now ${inUnit(last, unit)}, at most ${
    inUnit(most, unit)
  } in ${
    span.each === "minute" || span.each === "hour" || span.each === "quarter"
      ? `a ${span.each}`
      : span.each
  }.`;
  return markup`<figure class="chart ${shape}">
<figcaption><span>${title}</span><b>${inUnit(last, unit)}</b></figcaption>
<div class="plot"><span class="top">${inUnit(top, unit)}</span>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${summary}">
<path class="grid" d="M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}"/>
${path}${points.map((point) => hover(point, unit, span, width))}</svg></div>
<div class="ticks" aria-hidden="true">${
    span.ticks.map((tick) => markup`<span>${tick}</span>`)
  }</div>
</figure>`;
}

function placed(values: readonly Point[], { slots, step }: Span, now: number): readonly Placed[] {
  const oldest = Math.floor(now / step) - slots + 1;
  return values
    .map((point) => ({ ...point, slot: Math.floor(point.at / step) - oldest }))
    .filter(({ slot }) => slot >= 0 && slot < slots);
}

function height(value: number, top: number): number {
  return Math.round(Math.max(0, value) / top * (HEIGHT - 4) * 10) / 10;
}

function bars(points: readonly Placed[], top: number, width: number): Html {
  let d = "";
  for (const { slot, value } of points) {
    if (value <= 0) continue;
    // What is there must be seen, however small it is.
    const tall = Math.max(1.5, height(value, top));
    d += `M${slot * width + 1} ${HEIGHT}v-${tall}h${width - 2}v${tall}z`;
  }
  return markup`
    <path class="bar" d="${d}" />
  `;
}

function line(points: readonly Placed[], top: number, width: number): Html {
  let stroke = "";
  let fill = "";
  for (const [from, to] of runs(points)) {
    const run = points.slice(from, to);
    const steps = run.map(({ slot, value }) =>
      `${slot * width} ${HEIGHT - 1 - height(value, top)}H${(slot + 1) * width}`
    );
    const start = (run[0]?.slot ?? 0) * width;
    stroke += `M${steps.join("L")}`;
    fill += `M${start} ${HEIGHT}L${steps.join("L")}V${HEIGHT}z`;
  }
  return markup`
    <path class="area" d="${fill}" />
    <path class="stroke" d="${stroke}" />
  `;
}

/** Where steps follow on each other without a gap. */
function runs(points: readonly Placed[]): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  for (const [at, { slot }] of points.entries()) {
    const run = found.at(-1);
    if (run !== undefined && points[at - 1]?.slot === slot - 1) run[1] = at + 1;
    else found.push([at, at + 1]);
  }
  return found;
}

function hover({ slot, value, at }: Placed, unit: Unit, { step }: Span, width: number): Html {
  const time = new Date(at).toISOString();
  const shown = step < 60 * 60_000 ? time.slice(11, 16) : time.slice(0, 16).replace("T", " ");
  return markup`<rect x="${
    slot * width
  }" width="${width}" height="${HEIGHT}"><title>${shown} UTC: ${
    inUnit(value, unit)
  }</title></rect>`;
}
