/** A plain connection over a Deno.Conn, with what tests want to know about it. */

import type { Connection, Endpoint } from "../../lib/contracts/connection.ts";

export class RawConnection implements Connection {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly tls = undefined;
  readonly #conn: Deno.TcpConn;
  /** Whether the descriptor was given back. */
  closed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.peer = endpoint(conn.remoteAddr);
    this.local = endpoint(conn.localAddr);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    if (this.closed) return;
    this.closed = true;
    this.#conn.close();
  }
}

function endpoint(address: Deno.Addr): Endpoint {
  const { hostname, port } = address as Deno.NetAddr;
  return { address: hostname, port };
}

/** A client's end and the server's, connected over loopback. */
export async function connectedPair(): Promise<{ client: Deno.TcpConn; server: RawConnection }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, accepted] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port }),
    listener.accept(),
  ]);
  client.setNoDelay();
  accepted.setNoDelay();
  return { client, server: new RawConnection(accepted) };
}

/** Everything that a connection has until its end. */
export async function readAll(connection: Pick<Connection, "read">): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65536);
  for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
    parts.push(buffer.slice(0, n));
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** Writes the whole of it. */
export async function writeAll(
  connection: Pick<Connection, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
