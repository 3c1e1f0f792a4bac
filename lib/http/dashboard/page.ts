/** The dashboard: figures, the last hour, the sessions; whole as a page, and its living part alone. */

import type { SessionView } from "../../observe/sessions.ts";
import { printable } from "../../bytes/printable.ts";
import { chart, type ChartOptions } from "./chart.ts";
import { type PastFigures, type Point, pointsOf, type Span, SPANS } from "./spans.ts";
import { type Html, markup, trusted } from "./html.ts";
import script from "./live.js" with { type: "text" };
import style from "./style.css" with { type: "text" };
import { elapsed, inUnit, type Unit } from "../../bytes/units.ts";

/** What the dashboard shows, asked for at each view. */
export interface DashboardData extends PastFigures {
  readonly serverName: string;
  readonly version: string;
  /** Milliseconds for which the server has run. */
  readonly uptime: () => number;
  /** Why the server does not serve now, as a sentence; undefined when it does. */
  trouble(): string | undefined;
  /** Every figure by its metric's name. */
  figures(): Readonly<Record<string, number>>;
  /** The open sessions, the oldest first. */
  sessions(): Iterable<SessionView>;
}

/** Sessions that the table shows; more are only counted. */
const MOST_ROWS = 100;

/** The page's script, for the hash in the Content-Security-Policy. */
export const SCRIPT: string = script;
/** The page's style sheet, likewise. */
export const STYLE: string = style;

const CARDS: readonly (readonly [name: string, title: string, unit: Unit])[] = [
  ["pop3.sessions.active", "Sessions now", "count"],
  ["pop3.sessions.peak", "Most at once", "count"],
  ["pop3.connections", "Connections", "count"],
  ["pop3.logins", "Logins", "count"],
  ["pop3.auth.failures", "Failed logins", "count"],
  ["pop3.messages.retrieved", "Retrieved", "count"],
  ["pop3.messages.deleted", "Deleted", "count"],
  ["pop3.bytes.sent", "Sent", "octets"],
];

const CHARTS: readonly (Pick<ChartOptions, "title" | "unit" | "shape"> & { name: string })[] = [
  { name: "pop3.sessions.active", title: "Sessions", unit: "count", shape: "line" },
  { name: "pop3.connections", title: "Connections", unit: "count", shape: "bars" },
  { name: "pop3.messages.retrieved", title: "Messages", unit: "count", shape: "bars" },
  { name: "pop3.bytes.sent", title: "Sent", unit: "octets", shape: "bars" },
  { name: "pop3.auth.failures", title: "Failed logins", unit: "count", shape: "bars" },
  {
    name: "pop3.command.duration",
    title: "Mean answer time",
    unit: "milliseconds",
    shape: "line",
  },
];

/** The whole page. It asks for nothing but {@linkcode livePart} again. */
export async function dashboardPage(
  data: DashboardData,
  now: number,
  span: Span = SPANS[0],
): Promise<string> {
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${printable(data.serverName)} – Postern</title>
<link rel="icon" href="data:,">
<style>${trusted(STYLE)}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body>
${trusted(await livePart(data, now, span))}
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.toString();
}

/** What changes from one look to the next, as pieces with a `data-part` each. */
export async function livePart(
  data: DashboardData,
  now: number,
  span: Span = SPANS[0],
): Promise<string> {
  const series = await Promise.all(CHARTS.map(({ name }) => pointsOf(data, name, span)));
  return markup`<header data-part="head">${head(data)}</header>
<main>
<section aria-label="Figures" class="cards" data-part="cards">${cards(data)}</section>
<nav aria-label="Time shown" class="spans" data-part="spans">${spans(span)}</nav>
<section aria-label="The last ${span.name}" class="charts" data-part="charts">${
    charts(series, span, now)
  }</section>
<section aria-label="Sessions" data-part="sessions">${sessions(data, now)}</section>
</main>`.toString();
}

function head(data: DashboardData): Html {
  const trouble = data.trouble();
  const state = trouble === undefined
    ? markup`<span class="state good">ready</span>`
    : markup`<span class="state bad">${printable(trouble)}</span>`;
  return markup`<h1>${printable(data.serverName)}</h1>${state}
<p>Postern ${data.version}, up for ${elapsed(data.uptime())}</p>`;
}

function cards(data: DashboardData): Html {
  const figures = data.figures();
  return markup`${
    CARDS.map(([name, title, unit]) =>
      markup`<div class="card"><b>${
        inUnit(figures[name] ?? 0, unit)
      }</b><span>${title}</span></div>`
    )
  }`;
}

/** Links to the other spans, and to the figures by hours as files. */
function spans(shown: Span): Html {
  return markup`${
    SPANS.map(({ name }) =>
      name === shown.name
        ? markup`<b aria-current="page">${name}</b>`
        : markup`<a href="?span=${name}">${name}</a>`
    )
  } <a href="history.csv" download>CSV</a><a href="history.json" download>JSON</a>`;
}

function charts(series: readonly (readonly Point[])[], span: Span, now: number): Html {
  return markup`${
    CHARTS.map(({ title, unit, shape }, at) =>
      chart({
        title: shape === "bars" ? `${title} per ${span.each}` : title,
        unit,
        shape,
        span,
        now,
        values: series[at] ?? [],
      })
    )
  }`;
}

function sessions(data: DashboardData, now: number): Html {
  const all = [...data.sessions()];
  const shown = all.slice(-MOST_ROWS).reverse();
  const more = all.length - shown.length;
  if (all.length === 0) return markup`<h2>Sessions</h2><p class="none">Nobody is connected.</p>`;
  return markup`<h2>Sessions</h2>
<div class="table" tabindex="0" role="region" aria-label="Table of sessions"><table>
<thead><tr><th scope="col">User</th><th scope="col">Address</th><th scope="col">TLS</th>
<th scope="col">State</th><th scope="col">Last command</th><th scope="col" class="n">Messages</th>
<th scope="col" class="n">Sent</th><th scope="col" class="n">Since</th></tr></thead>
<tbody>${shown.map((session) => sessionRow(session, now))}</tbody></table></div>
${more > 0 ? markup`<p class="none">… and ${inUnit(more, "count")} older ones</p>` : markup``}`;
}

function sessionRow(session: SessionView, now: number): Html {
  const { user, address, tls, state, lastCommand, retrieved, bytes, since } = session;
  const texts = [
    printable(user ?? "–", 60),
    printable(address),
    printable(tls ?? "–"),
    state,
    printable(lastCommand ?? "–"),
  ];
  const figures = [inUnit(retrieved, "count"), inUnit(bytes, "octets"), elapsed(now - since)];
  return markup`<tr>${texts.map((text) => markup`<td>${text}</td>`)}${
    figures.map((text) => markup`<td class="n">${text}</td>`)
  }</tr>`;
}
