/** The HTTP server: `/healthz`, `/readyz`, `/metrics`, and the dashboard at `/`. */

import { delay } from "../async/delay.ts";
import { logger } from "../log/logging.ts";
import { isLoopback } from "../net/networks.ts";
import { type Answering, answering, plain, type Watch } from "./dashboard/answers.ts";
import { closeQuietly, exchange } from "./http_exchange.ts";

export type { Watch } from "./dashboard/answers.ts";

/** Where the HTTP server listens, and how long it bears with a client. */
export interface HttpOptions {
  /** `ADDR:PORT`, an IPv6 address in brackets; port 0 is any that is free. */
  readonly listen: string;
  /** Connections at once; the oldest is closed for one more. @default {100} */
  readonly maxConnections?: number;
  /** Milliseconds that a client has for its request and the answer. @default {10000} */
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
/** Milliseconds until it is tried again when no connection can be taken (no file descriptor is left, say). */
const RETRY = 200;

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
  const listener = listen(hostname, port);
  const server = new Accepting(listener, guarded(answer), { maxConnections, patience });
  if (!local) {
    logger("http").warn(
      "The dashboard at {address} has no login: everybody who reaches it sees users and their addresses",
      { address: options.listen },
    );
  }
  return {
    hostname: listener.addr.hostname,
    port: listener.addr.port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
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

/** Takes connections, each for one exchange, up to a number at once. */
class Accepting implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #answer: Answering;
  readonly #limits: Required<Pick<HttpOptions, "maxConnections" | "patience">>;
  readonly #open = new Map<Deno.Conn, Promise<void>>();
  readonly #loop: Promise<void>;
  #closing = false;

  constructor(
    listener: Deno.TcpListener,
    answer: Answering,
    limits: Required<Pick<HttpOptions, "maxConnections" | "patience">>,
  ) {
    this.#listener = listener;
    this.#answer = answer;
    this.#limits = limits;
    this.#loop = this.#accept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#listener.close();
    const timer = setTimeout(() => {
      for (const connection of this.#open.keys()) closeQuietly(connection);
    }, LAST_ANSWERS);
    await Promise.all([this.#loop, ...this.#open.values()]);
    clearTimeout(timer);
  }

  async #accept(): Promise<void> {
    while (!this.#closing) {
      try {
        this.#take(await this.#listener.accept());
      } catch (error) {
        if (this.#closing) return;
        logger("http").debug("No HTTP connection could be taken: {error}", { error });
        await delay(RETRY);
      }
    }
  }

  #take(connection: Deno.Conn): void {
    // The newest is served: who holds connections for nothing must not keep a probe out.
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size >= this.#limits.maxConnections) {
      closeQuietly(oldest);
      this.#open.delete(oldest);
    }
    const done = exchange(connection, this.#answer, this.#limits.patience)
      .finally(() => this.#open.delete(connection));
    this.#open.set(connection, done);
  }
}

/** Answers with 500 where `answer` throws. */
function guarded(answer: Answering): Answering {
  return async (question) => {
    try {
      return await answer(question);
    } catch (error) {
      logger("http").error("An HTTP answer failed: {error}", { error });
      return plain(500, "The server failed to answer.\n");
    }
  };
}

function listen(hostname: string, port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    throw new Error(`HTTP cannot be served on ${hostname} port ${port}: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the port is in use; choose another one with --http";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied; choose a port above 1023 with --http";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine does not have the address; name one of its own with --http";
  }
  return error instanceof Error ? error.message : String(error);
}
