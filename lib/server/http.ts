/** The HTTP server: `/healthz`, `/readyz`, `/metrics`, and the dashboard at `/`. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { logger } from "../observe/logging.ts";
import { type Answer, answering, plain, type Question, type Watch } from "./dashboard/answers.ts";

export type { Watch } from "./dashboard/answers.ts";

/** Where the HTTP server listens, and how long it bears with a client. */
export interface HttpOptions {
  /** `ADDR:PORT`, an IPv6 address in brackets; port 0 is any that is free. */
  readonly listen: string;
  /** Connections at once; more are closed as they come. @default {100} */
  readonly maxConnections?: number;
  /** Milliseconds that a client has for its request, and to take some of the answer. @default {10000} */
  readonly patience?: number;
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
/** Octets of a request's head. */
const LARGEST_HEAD = 16 * 1024;

/**
 * Starts listening. There is no login: who reaches the address sees the figures and the sessions, which is said in the log
 * when it is not a loopback address.
 *
 * @throws {SyntaxError} when `listen` is not `ADDR:PORT`
 * @throws {Error} with a sentence when the port is taken or not allowed
 */
export async function startHttp(watch: Watch, options: HttpOptions): Promise<HttpServer> {
  const { hostname, port } = parseListen(options.listen);
  const { maxConnections = 100, patience = 10_000, now = Date.now } = options;
  const local = isLoopback(hostname);
  const answer = await answering(watch, { local, now });
  const server = createServer({
    headersTimeout: patience / 2,
    requestTimeout: patience,
    keepAliveTimeout: patience / 2,
    connectionsCheckingInterval: Math.min(1000, patience / 2),
    maxHeaderSize: LARGEST_HEAD,
  }, (request, response) => reply(request, response, answer));
  server.maxConnections = maxConnections;
  // A client that takes nothing of its answer makes no progress on its socket.
  server.setTimeout(patience, (socket) => socket.destroy());
  const bound = await listen(server, hostname, port);
  if (!local) {
    logger("http").warn(
      "The dashboard at {address} has no login: everybody who reaches it sees users and their addresses",
      { address: options.listen },
    );
  }
  return { hostname, port: bound, [Symbol.asyncDispose]: () => close(server) };
}

/**
 * Splits `ADDR:PORT`, e.g. `127.0.0.1:9110` or `[::1]:9110`.
 *
 * @throws {SyntaxError} when it is something else
 */
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

function reply(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (question: Question) => Answer,
): void {
  // Whoever goes away in the middle of an answer is no concern of ours.
  request.on("error", () => {});
  response.on("error", () => {});
  const { method = "", url = "", headers } = request;
  const { status, headers: fields, body } = guarded(answer, {
    method,
    target: url,
    host: headers.host,
  });
  const bytes = new TextEncoder().encode(body);
  const more = method === "GET" || method === "HEAD" ? {} : { connection: "close" };
  response.writeHead(status, { ...fields, ...more, "content-length": bytes.length });
  response.end(method === "HEAD" ? undefined : bytes);
}

function guarded(answer: (question: Question) => Answer, question: Question): Answer {
  try {
    return answer(question);
  } catch (error) {
    logger("http").error("An HTTP answer failed: {error}", { error });
    return plain(500, "The server failed to answer.\n");
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname);
}

/** Listens, and tells the port. */
async function listen(server: Server, hostname: string, port: number): Promise<number> {
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(port, hostname, listening.resolve);
  try {
    await listening.promise;
  } catch (error) {
    throw new Error(`HTTP cannot be served on ${hostname} port ${port}: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
  server.off("error", listening.reject);
  server.on("error", (error) => logger("http").error("HTTP failed: {error}", { error }));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") return "the port is taken; name another one with --http";
  if (code === "EACCES") {
    return "the system does not allow this port; name one above 1023 with --http";
  }
  return error instanceof Error ? error.message : String(error);
}

async function close(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS);
  try {
    await closed.promise;
  } finally {
    clearTimeout(timer);
  }
}
