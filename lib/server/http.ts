/** What is seen by HTTP: `/healthz`, `/readyz`, `/metrics`, and the dashboard at `/`. */

import { logger } from "../observe/logging.ts";
import { PROMETHEUS_TYPE } from "../observe/prometheus.ts";
import { type DashboardData, dashboardPage, livePart, SCRIPT, STYLE } from "./dashboard/page.ts";
import { pageHeaders } from "./dashboard/policy.ts";

/** What the HTTP server shows. */
export interface Watch extends DashboardData {
  /** The scrape, in Prometheus' text format 0.0.4. */
  metrics(): string;
}

/** Where the HTTP server listens. */
export interface HttpOptions {
  /** `ADDR:PORT`, an IPv6 address in brackets; port 0 is any that is free. */
  readonly listen: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** The HTTP server, listening. Disposing lets answers under way end for at most a second. */
export interface HttpServer extends AsyncDisposable {
  readonly hostname: string;
  readonly port: number;
}

/** Milliseconds that answers under way have when the server ends. */
const LAST_ANSWERS = 1000;

const PLAIN = { "content-type": "text/plain; charset=utf-8" };

/** On every answer. */
const COMMON = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Starts listening. There is no login: who reaches the address sees the figures and the sessions, which is said in the log
 * when it is not a loopback address.
 *
 * @throws {SyntaxError} when `listen` is not `ADDR:PORT`
 * @throws {Error} with a sentence when the port is taken or not allowed
 */
export async function startHttp(watch: Watch, options: HttpOptions): Promise<HttpServer> {
  const { hostname, port } = parseListen(options.listen);
  const page = await pageHeaders(SCRIPT, STYLE);
  const local = isLoopback(hostname);
  const answer = (request: Request): Response =>
    respond(request, { watch, page, local, now: options.now ?? Date.now });
  const abort = new AbortController();
  const server = listen({ hostname, port, signal: abort.signal, onListen, onError }, answer);
  if (!local) {
    logger("http").warn(
      "The dashboard at {address} has no login: everybody who reaches it sees users and their addresses",
      { address: options.listen },
    );
  }
  return {
    hostname: server.addr.hostname,
    port: server.addr.port,
    [Symbol.asyncDispose]: () => close(server, abort),
  };
}

/** Splits `ADDR:PORT`, e.g. `127.0.0.1:9110` or `[::1]:9110`. */
export function parseListen(text: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (hostname === undefined || !(port <= 65_535)) {
    throw new SyntaxError(
      `"${text}" is no address to listen on: expected ADDR:PORT, for example 127.0.0.1:9110 or [::1]:9110.`,
    );
  }
  return { hostname, port };
}

interface Context {
  readonly watch: Watch;
  /** Headers of answers with HTML. */
  readonly page: Readonly<Record<string, string>>;
  /** Whether it listens on a loopback address. */
  readonly local: boolean;
  readonly now: () => number;
}

function respond(request: Request, context: Context): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "Only GET and HEAD are served here.\n", { allow: "GET, HEAD" });
  }
  const url = URL.parse(request.url);
  if (url === null) return text(400, "The Host header names no host.\n");
  const { watch, page, now } = context;
  switch (url.pathname) {
    case "/healthz":
      return text(200, "ok\n");
    case "/readyz": {
      const trouble = watch.trouble();
      return trouble === undefined ? text(200, "ready\n") : text(503, `${trouble}\n`);
    }
    case "/metrics":
      return text(200, watch.metrics(), { "content-type": PROMETHEUS_TYPE });
    case "/":
    case "/live":
      if (context.local && !isLocalName(url.hostname, watch.serverName)) {
        return text(421, "The dashboard is not served under this name.\n");
      }
      return text(
        200,
        url.pathname === "/" ? dashboardPage(watch, now()) : livePart(watch, now()),
        page,
      );
    default:
      return text(404, "There are /, /healthz, /readyz and /metrics.\n");
  }
}

/** An answer; the runtime leaves the body of one to HEAD away. */
function text(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, { status, headers: { ...PLAIN, ...COMMON, ...headers } });
}

/**
 * Whether the browser was sent here by a name that can only mean this machine. A foreign page could let its own name point to
 * 127.0.0.1 ("DNS rebinding") and read what is only meant for this machine's users.
 */
function isLocalName(hostname: string, serverName: string): boolean {
  return /^[\d.]+$|^\[/.test(hostname) || hostname === "localhost" ||
    hostname === serverName.toLowerCase();
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname);
}

function listen(
  options: Deno.ServeTcpOptions,
  answer: (request: Request) => Response,
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port } = options;
  try {
    return Deno.serve(options, answer);
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse
      ? "the port is taken; name another one with --http"
      : error instanceof Deno.errors.PermissionDenied
      ? "the system does not allow this port; name one above 1023 with --http"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new Error(`HTTP cannot be served on ${hostname} port ${port}: ${reason}.`, {
      cause: error,
    });
  }
}

function onListen(): void {}

function onError(error: unknown): Response {
  logger("http").error("An HTTP answer failed: {error}", { error });
  return new Response("The server failed to answer.\n", {
    status: 500,
    headers: { ...PLAIN, ...COMMON },
  });
}

async function close(server: Deno.HttpServer, abort: AbortController): Promise<void> {
  const timer = setTimeout(() => abort.abort(), LAST_ANSWERS);
  try {
    await Promise.all([server.shutdown(), server.finished]);
  } finally {
    clearTimeout(timer);
  }
}
