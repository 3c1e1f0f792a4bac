/** What is answered to each request for a page, a figure or a probe; pure, without a socket. */

import { printable } from "../../bytes/printable.ts";
import { PROMETHEUS_TYPE } from "../../observe/prometheus.ts";
import { type DashboardData, dashboardPage, livePart, SCRIPT, STYLE } from "./page.ts";
import { pageHeaders } from "./policy.ts";
import { exported, type Span, SPANS } from "./spans.ts";

/** What the HTTP server shows. */
export interface Watch extends DashboardData {
  /** The scrape, in Prometheus' text format 0.0.4. */
  metrics(): string;
  /** Whether the process serves at all; the reasons why not, a sentence each. */
  health(): Promise<readonly string[]>;
  /** Whether clients should be sent here, likewise. */
  readiness(): Promise<readonly string[]>;
}

/** What of a request decides its answer. */
export interface Question {
  readonly method: string;
  /** The request target as sent: a path, or a whole URL. */
  readonly target: string;
  /** The Host header. */
  readonly host: string | undefined;
}

/** An answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers a request. */
export type Answering = (question: Question) => Promise<Answer>;

/** How the answers are made. */
export interface AnswerOptions {
  /** Whether the server listens on a loopback address only, so that only this machine's own names may lead to the dashboard. */
  readonly local: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Milliseconds for which a drawn dashboard is shown again: many viewers cost no more than one. */
const FRESH = 500;

/** Characters of a reason that a probe shows: it may hold a path. */
const LONGEST_REASON = 500;

const PLAIN = { "content-type": "text/plain; charset=utf-8" };

/** On every answer. */
const COMMON = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Makes the function that answers.
 *
 * @returns throws what `watch` throws
 */
export async function answering(
  watch: Watch,
  { local, now }: AnswerOptions,
): Promise<Answering> {
  const headers = await pageHeaders(SCRIPT, STYLE);
  const drawings = new Map(SPANS.map((span) => [span.name, {
    page: kept(() => dashboardPage(watch, now(), span), now),
    live: kept(() => livePart(watch, now(), span), now),
  }]));
  const foreign = plain(421, "The dashboard is not served under this name.\n");
  const isForeign = (host: string | undefined): boolean =>
    local && !isLocalName(host, watch.serverName);
  const dashboard = async (what: "page" | "live", url: URL, host?: string): Promise<Answer> => {
    if (isForeign(host)) return foreign;
    const drawing = drawings.get((url.searchParams.get("span") ?? "hour") as Span["name"]);
    return drawing === undefined
      ? plain(404, "Not found. The span is hour, day, week, month or year.\n")
      : plain(200, await drawing[what](), headers);
  };
  const download = async (format: "csv" | "json", url: URL, host?: string): Promise<Answer> => {
    if (isForeign(host)) return foreign;
    const body = await exported(watch, format, url.searchParams.get("hours"));
    if (body === undefined) return plain(404, "Not found. The hours are 1 to 17568.\n");
    const type = format === "csv" ? "text/csv; charset=utf-8" : "application/json";
    return plain(200, body, { "content-type": type });
  };
  return async ({ method, target, host }) => {
    if (method !== "GET" && method !== "HEAD") {
      return plain(405, "Only GET and HEAD are served here.\n", { allow: "GET, HEAD" });
    }
    const url = urlOf(target);
    switch (url?.pathname) {
      case "/healthz":
        return probe("ok", await watch.health());
      case "/readyz":
        return probe("ready", await watch.readiness());
      case "/metrics":
        return plain(200, watch.metrics(), { "content-type": PROMETHEUS_TYPE });
      case "/":
        return await dashboard("page", url, host);
      case "/live":
        return await dashboard("live", url, host);
      case "/history.csv":
        return await download("csv", url, host);
      case "/history.json":
        return await download("json", url, host);
      default:
        return plain(404, "Not found. Try /, /healthz, /readyz or /metrics.\n");
    }
  };
}

/** A request target (RFC 9112, section 3.2); one that begins with two slashes names no host there. */
function urlOf(target: string): URL | undefined {
  return URL.parse(target.startsWith("/") ? `http://localhost${target}` : target) ?? undefined;
}

/** An answer in plain text, unless `headers` say otherwise. */
export function plain(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { ...PLAIN, ...COMMON, ...headers }, body };
}

function probe(good: string, reasons: readonly string[]): Answer {
  return reasons.length === 0
    ? plain(200, `${good}\n`)
    : plain(503, reasons.map((reason) => `${printable(reason, LONGEST_REASON)}\n`).join(""));
}

/** Draws anew only when the last drawing is no longer fresh; those who ask while it is drawn get the same. */
function kept(draw: () => Promise<string>, now: () => number): () => Promise<string> {
  let text: Promise<string> | undefined;
  let drawn = -Infinity;
  return () => {
    const age = now() - drawn;
    if (text === undefined || age >= FRESH || age < 0) {
      drawn = now();
      text = draw();
      // What failed is not shown again.
      text.catch(() => drawn = -Infinity);
    }
    return text;
  };
}

/**
 * Whether the browser was sent here by a name that can only mean this machine. A foreign page could let its own name point to
 * 127.0.0.1 ("DNS rebinding") and read what is meant for this machine's users only.
 */
function isLocalName(host: string | undefined, serverName: string): boolean {
  const name = URL.parse(`http://${host}`)?.hostname ?? "";
  return /^[\d.]+$|^\[/.test(name) || name === "localhost" || name === serverName.toLowerCase();
}
