/** TLS to this machine itself, whose certificate names another host: encrypted, but the certificate is not verified. */

import { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import type { ByteStream } from "./line_stream.ts";

/**
 * Begins TLS as the client.
 *
 * @throws {Error} when the handshake fails
 */
export async function unverifiedTls(connection: Deno.Conn): Promise<ByteStream> {
  const socket = connect({
    socket: duplexOver(connection),
    rejectUnauthorized: false,
    servername: "",
  });
  const ready = Promise.withResolvers<void>();
  const closed = new Error("the connection ended while TLS began");
  socket.once("secureConnect", () => ready.resolve());
  socket.on("error", (error: Error) => ready.reject(error));
  socket.once("close", () => ready.reject(closed));
  await ready.promise;
  return new SocketStream(socket, connection);
}

function duplexOver(connection: Deno.Conn): Duplex {
  const buffer = new Uint8Array(16_384);
  return new Duplex({
    read(): void {
      connection.read(buffer).then(
        (count) => this.push(count === null ? null : buffer.slice(0, count)),
        (error) => this.destroy(error),
      );
    },
    write(octets: Uint8Array, _encoding, done): void {
      writeWhole(connection, octets).then(() => done(), done);
    },
  });
}

async function writeWhole(connection: Deno.Conn, octets: Uint8Array): Promise<void> {
  let rest = octets;
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}

/** A node socket, read when asked. */
class SocketStream implements ByteStream {
  readonly #socket: TLSSocket;
  readonly #connection: Deno.Conn;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(socket: TLSSocket, connection: Deno.Conn) {
    this.#socket = socket;
    this.#connection = connection;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return null;
      this.#rest = next.value;
    }
    const count = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  write(octets: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(octets, (error) => error ? reject(error) : resolve(octets.length));
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#connection.close();
  }
}
