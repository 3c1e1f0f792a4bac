/** What is answered to each request for a page, a figure or a probe; pure, without a socket. */

import { printable } from "../../bytes/printable.ts";
import { PROMETHEUS_TYPE } from "../../observe/prometheus.ts";
import { type DashboardData, dashboardPage, livePart, SCRIPT, STYLE } from "./page.ts";
import { pageHeaders } from "./policy.ts";

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
  const page = kept(() => dashboardPage(watch, now()), now);
  const live = kept(() => livePart(watch, now()), now);
  const dashboard = (draw: () => string, host: string | undefined): Answer =>
    local && !isLocalName(host, watch.serverName)
      ? plain(421, "The dashboard is not served under this name.\n")
      : plain(200, draw(), headers);
  return async ({ method, target, host }) => {
    if (method !== "GET" && method !== "HEAD") {
      return plain(405, "Only GET and HEAD are served here.\n", { allow: "GET, HEAD" });
    }
    switch (pathOf(target)) {
      case "/healthz":
        return probe("ok", await watch.health());
      case "/readyz":
        return probe("ready", await watch.readiness());
      case "/metrics":
        return plain(200, watch.metrics(), { "content-type": PROMETHEUS_TYPE });
      case "/":
        return dashboard(page, host);
      case "/live":
        return dashboard(live, host);
      default:
        return plain(404, "Not found. Try /, /healthz, /readyz or /metrics.\n");
    }
  };
}

/** The path of a request target (RFC 9112, section 3.2); one that begins with two slashes names no host there. */
function pathOf(target: string): string | undefined {
  return URL.parse(target.startsWith("/") ? `http://localhost${target}` : target)?.pathname;
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

/** Draws anew only when the last drawing is no longer fresh. */
function kept(draw: () => string, now: () => number): () => string {
  let text = "";
  let drawn = -Infinity;
  return () => {
    const age = now() - drawn;
    if (age >= FRESH || age < 0) {
      text = draw();
      drawn = now();
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
