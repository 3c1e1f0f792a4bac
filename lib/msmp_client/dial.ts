/** Opens the connection to a management port, and begins TLS on it where that is offered or asked for. */

import { printable } from "../bytes/printable.ts";
import { isLoopback } from "../net/networks.ts";
import { NoConnectionError, RefusedError } from "./errors.ts";
import { type ByteStream, LineStream } from "./line_stream.ts";
import { unverifiedTls } from "./unverified_tls.ts";

/** Where the server is, and how it is spoken to. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** Whether TLS must be; without it, TLS is used where the server offers it. */
  readonly tls?: boolean;
  /** PEM of authorities that may vouch for the server, besides the well-known ones. */
  readonly ca?: string | undefined;
  /**
   * Milliseconds to connect, and for each answer.
   *
   * @default {10_000}
   */
  readonly timeout?: number;
}

/** A connection whose greeting is read. */
export interface Dialled {
  readonly lines: LineStream;
  readonly secure: boolean;
}

/**
 * Connects, reads the greeting, and says STLS.
 *
 * @throws {NoConnectionError} when there is no MSMP server, or TLS cannot be had as asked
 * @throws {RefusedError} when the server shuts this address out
 */
export async function dial(options: DialOptions): Promise<Dialled> {
  const { timeout = 10_000 } = options;
  const connection = await connect(options, timeout);
  const lines = new LineStream(connection);
  try {
    const greeting = await lines.next(timeout);
    if (greeting.startsWith("-ERR ")) throw new RefusedError(greeting.slice("-ERR ".length));
    if (!/^\+OK MSMP\d/.test(greeting)) {
      throw new NoConnectionError(
        `${place(options)} is no management port: it greets with "${printable(greeting, 60)}"`,
      );
    }
    await lines.send("STLS");
    const answer = await lines.next(timeout);
    if (!answer.startsWith("+OK")) {
      if (options.tls) {
        throw new NoConnectionError(
          `${place(options)} offers no TLS, and --tls insists on it: "${printable(answer, 60)}"`,
        );
      }
      return { lines, secure: false };
    }
    // What came in clear after the answer could be anyone's.
    if (lines.pending > 0) {
      throw new NoConnectionError(
        "the server sent data before the TLS handshake (possible injection)",
      );
    }
    return { lines: new LineStream(await beginTls(connection, options)), secure: true };
  } catch (error) {
    lines.close();
    throw error;
  }
}

async function connect(options: DialOptions, timeout: number): Promise<Deno.TcpConn> {
  const { host, port } = options;
  const signal = AbortSignal.timeout(timeout);
  try {
    const connection = await Deno.connect({ hostname: host, port, signal });
    connection.setNoDelay(true);
    return connection;
  } catch (error) {
    const reason = signal.aborted
      ? `no answer within ${Math.round(timeout / 1000)} seconds`
      : error instanceof Deno.errors.ConnectionRefused
      ? "nothing listens there; is the server running?"
      : error instanceof Error
      ? printable(error.message, 120)
      : String(error);
    throw new NoConnectionError(`cannot connect to ${place(options)}: ${reason}`, { cause: error });
  }
}

/**
 * Begins TLS. Towards this machine itself the certificate is verified only when `--tls` or `--ca` ask for it: it names the
 * host as others know it, and nobody stands between.
 */
async function beginTls(connection: Deno.TcpConn, options: DialOptions): Promise<ByteStream> {
  const { host, tls = false, ca } = options;
  const timeout = options.timeout ?? 10_000;
  let timer;
  try {
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("the handshake takes too long")), timeout);
    });
    if (!tls && ca === undefined && isLoopback(connection.remoteAddr.hostname)) {
      return await Promise.race([unverifiedTls(connection), late]);
    }
    const caCerts = ca === undefined ? [] : [ca];
    const secured = await Deno.startTls(connection, { hostname: host, caCerts });
    await Promise.race([secured.handshake(), late]);
    return secured;
  } catch (error) {
    const reason = error instanceof Error ? printable(error.message, 160) : String(error);
    throw new NoConnectionError(
      `no TLS with ${place(options)}: ${reason}. ` +
        "Name the authority with --ca FILE, and the host as its certificate does with -a",
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** How messages name the server: `127.0.0.1:4321`, `[::1]:4321`. */
export function place({ host, port }: Pick<DialOptions, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
