/** What a dialogue is carried over: one client's byte stream, in clear or under TLS. */

/** One end of a TCP connection. */
export interface Endpoint {
  /** The IP address in text; IPv4-mapped IPv6 addresses are given as IPv4. */
  readonly address: string;
  readonly port: number;
}

/** What was agreed in a TLS handshake. */
export interface TlsFacts {
  /** As OpenSSL names it: `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The cipher suite's IANA name. */
  readonly cipher: string;
  /** The name that the client asked for (RFC 6066, section 3), if it asked for one. */
  readonly serverName?: string;
}

/**
 * One client's byte stream. Reading and writing may overlap; two reads, or two writes, may not.
 * Disposing closes it at once and makes what is pending reject.
 */
export interface Connection extends Disposable {
  /** The client: what the socket says, or what a trusted PROXY header said. */
  readonly peer: Endpoint;
  /** The address and port that the client reached. */
  readonly local: Endpoint;
  /** Present exactly when every octet is encrypted. */
  readonly tls: TlsFacts | undefined;
  /**
   * Waits for octets and puts them into `into`.
   *
   * @returns how many (at least 1), or null at the end of the stream
   * @throws {Error} when the connection broke or was disposed
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Sends octets from the beginning of `bytes`, which must stay untouched until the promise settles.
   * Waits while the peer is slow.
   *
   * @returns how many octets were taken (at least 1, perhaps fewer than given)
   * @throws {Error} when the connection broke or was disposed
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Says that nothing more will be written (TCP FIN, TLS close_notify). */
  closeWrite(): Promise<void>;
  /**
   * Takes the server's side of a TLS handshake on this byte stream (RFC 2595, section 4); absent where no certificate is
   * configured or TLS is already on. This connection must not be used afterwards.
   *
   * @throws {HandshakeError} when the handshake fails or does not end in time; the connection is closed then
   */
  startTls?(): Promise<Connection>;
}

/** A TLS handshake that did not come to its end. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  /** Why, as a sentence's end and one of few: `client offers TLS 1.0 only`. */
  readonly reason: string;

  constructor(message: string, reason: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
