/** The server's side of TLS over any connection: POP3S from the first octet, and STLS in the middle of a session. */

import tls from "node:tls";
import {
  type Connection,
  type Endpoint,
  HandshakeError,
  type TlsFacts,
} from "../contracts/connection.ts";
import { handshakeReason } from "./tls/handshake_reason.ts";
import type { SecureContexts } from "./secure_contexts.ts";
import { Carrier } from "./tls_carrier.ts";

/** Settings of {@linkcode acceptTls}. */
export interface AcceptTlsOptions {
  readonly contexts: SecureContexts;
  /** Milliseconds that the client has for the whole handshake. */
  readonly handshakeTimeout: number;
}

/**
 * Octets of one write. Large ones pay, since some of the cost is one of each write: next to Deno.listenTls, RETR reaches
 * 0.85 at 64 KiB and 0.95 at 256 KiB (bench/micro/tls.ts). A client that does not read costs this much, encrypted.
 */
const MAX_WRITE = 256 * 1024;
/**
 * Takes the server's side of a TLS handshake. Reads nothing before it is called, so that a ClientHello which comes right
 * behind the command STLS is not lost. `raw` must not be used by others from now on.
 *
 * @throws {HandshakeError} when the client does not speak TLS, goes away, or does not end in time; `raw` is closed then
 */
export async function acceptTls(raw: Connection, options: AcceptTlsOptions): Promise<Connection> {
  const { contexts, handshakeTimeout } = options;
  const carrier = new Carrier(raw);
  let socket: tls.TLSSocket | undefined;
  try {
    socket = new tls.TLSSocket(
      carrier as unknown as ConstructorParameters<typeof tls.TLSSocket>[0],
      {
        isServer: true,
        secureContext: contexts.select(),
        allowHalfOpen: true,
        ...(contexts.several
          ? {
            SNICallback: (name: string, done: (error: Error | null, context?: unknown) => void) =>
              done(null, contexts.select(name)),
          }
          : {}),
      } as unknown as tls.TLSSocketOptions,
    );
    await handshake(socket, carrier, handshakeTimeout);
    carrier.hold();
    carrier.forgetHello();
    return new TlsConnection(raw, socket, carrier);
  } catch (error) {
    socket?.destroy();
    carrier.destroy();
    if (error instanceof HandshakeError) throw error;
    throw failure(carrier, error);
  }
}

/** Waits until the handshake is done, broken, or too late. */
function handshake(socket: tls.TLSSocket, carrier: Carrier, timeout: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: unknown): void => reject(failure(carrier, error));
  const gone = (): void =>
    reject(new HandshakeError("The client left in the TLS handshake.", "client left"));
  const timer = setTimeout(
    () =>
      reject(
        new HandshakeError(
          `The TLS handshake took longer than ${timeout} ms.`,
          "client took too long",
        ),
      ),
    timeout,
  );
  // Both sides keep an error listener for good: an error event without one ends the process.
  socket.on("error", fail);
  carrier.on("error", (cause) => {
    reject(new HandshakeError("The client left in the TLS handshake.", "client left", { cause }));
  });
  socket.once("secure", resolve);
  socket.once("close", gone);
  carrier.once("end", gone);
  carrier.once("close", gone);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off("close", gone);
    carrier.off("end", gone);
    carrier.off("close", gone);
  });
}

function failure(carrier: Carrier, cause: unknown): HandshakeError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = handshakeReason(carrier.hello, cause);
  return new HandshakeError(`The TLS handshake failed: ${text}.`, reason, { cause });
}

interface Waiting {
  readonly into: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

/** A connection whose handshake is done. */
class TlsConnection implements Connection {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly tls: TlsFacts;
  readonly #socket: tls.TLSSocket;
  readonly #carrier: Carrier;
  #reading: Waiting | undefined;
  #writing: ((error: Error) => void) | undefined;
  #ended = false;
  #broken: Error | undefined;

  constructor(raw: Connection, socket: tls.TLSSocket, carrier: Carrier) {
    this.peer = raw.peer;
    this.local = raw.local;
    this.tls = factsOf(socket);
    this.#socket = socket;
    this.#carrier = carrier;
    socket.on("readable", () => this.#deliver());
    socket.on("end", () => {
      this.#ended = true;
      this.#deliver();
    });
    const fail = (error: Error): void => this.#fail(error);
    socket.on("error", fail);
    carrier.on("error", fail);
    socket.on("close", () => this.#fail(new Error("The TLS connection is closed.")));
    carrier.on("close", () => this.#fail(new Error("The connection under TLS is closed.")));
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#reading !== undefined) {
      return Promise.reject(new Error("A read is already in progress."));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    this.#reading = { into, resolve, reject };
    this.#deliver();
    if (this.#reading !== undefined) this.#carrier.allow();
    return promise;
  }

  /** Gives what there is to whoever waits for it. */
  #deliver(): void {
    const waiting = this.#reading;
    if (waiting === undefined) return;
    const ready = Math.min(waiting.into.length, this.#socket.readableLength);
    // A read of nothing makes the stream look for more, and tells it that the end was noticed.
    const octets: Uint8Array | null = ready > 0 ? this.#socket.read(ready) : this.#socket.read(0);
    if (octets !== null && octets.length > 0) {
      waiting.into.set(octets);
      this.#reading = undefined;
      this.#carrier.hold();
      waiting.resolve(octets.length);
    } else if (this.#ended) {
      this.#reading = undefined;
      waiting.resolve(null);
    } else if (this.#broken !== undefined) {
      this.#reading = undefined;
      waiting.reject(this.#broken);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const taken = Math.min(bytes.length, MAX_WRITE);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#writing = reject;
    this.#socket.write(taken === bytes.length ? bytes : bytes.subarray(0, taken), (error) => {
      if (error) {
        reject(error);
        return;
      }
      this.#carrier.drained().then(() => {
        this.#writing = undefined;
        resolve(taken);
      }, reject);
    });
    return promise;
  }

  closeWrite(): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#writing = reject;
    // The close_notify ends the stream for the client; the socket's own end comes with disposing. Where the client ended
    // before, node takes everything down as soon as it is said, which is then no failure.
    this.#socket.end(() => {
      this.#writing = undefined;
      this.#carrier.drained().then(resolve, () => resolve());
    });
    return promise;
  }

  [Symbol.dispose](): void {
    this.#fail(new Error("The connection was closed by the server."));
  }

  /** Ends everything, once: who waits is told why, and the descriptor is given back. */
  #fail(error: Error): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#deliver();
    this.#writing?.(error);
    this.#writing = undefined;
    this.#socket.destroy();
    this.#carrier.destroy();
  }
}

function factsOf(socket: tls.TLSSocket): TlsFacts {
  const cipher = socket.getCipher();
  const name = (socket as { servername?: unknown }).servername;
  return {
    version: socket.getProtocol() ?? cipher.version,
    cipher: cipher.standardName,
    ...(typeof name === "string" && name !== "" ? { serverName: name } : {}),
  };
}
