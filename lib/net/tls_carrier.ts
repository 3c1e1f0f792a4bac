/** What carries TLS: a connection as a stream of node's, with the measure that Deno's TLS layer lacks over a stream. */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Connection } from "../contracts/connection.ts";
import { HELLO_OCTETS } from "./tls/handshake_reason.ts";

/** What an idle connection holds to read into: room for a command line, not for a whole TLS record. */
const SMALL_READ = 1024;
/** A TLS record (RFC 8446, section 5.2) with its head. */
const LARGE_READ = 16 * 1024 + 261;

const CLOSED = "The connection under TLS closed before all was sent.";

/**
 * A connection as a stream of node's, which is what the TLS layer can sit upon. It keeps the measure that Deno's TLS
 * layer does not keep over such a stream (tried with 2.9.6: it reads on while nobody takes what it read, and calls a
 * write done while all of it still waits here): octets are asked for only while they are {@linkcode Carrier.allow}ed,
 * and {@linkcode Carrier.drained} tells when they are sent.
 */
export class Carrier extends Duplex {
  readonly #raw: Connection;
  #buffer = new Uint8Array(SMALL_READ);
  #wanted = false;
  #allowed = true;
  #drained: PromiseWithResolvers<void> | undefined;
  #hello: Uint8Array | undefined = new Uint8Array();

  /** @param raw belongs to this stream from now on */
  constructor(raw: Connection) {
    super({ allowHalfOpen: true, autoDestroy: false, readableHighWaterMark: LARGE_READ });
    this.#raw = raw;
  }

  /** The first octets that the client sent; nothing once they are {@linkcode Carrier.forgetHello | forgotten}. */
  get hello(): Uint8Array {
    return this.#hello ?? new Uint8Array();
  }

  /** Keeps the first octets no longer. */
  forgetHello(): void {
    this.#hello = undefined;
  }

  /** Lets octets be read, until {@linkcode Carrier.hold}. */
  allow(): void {
    this.#allowed = true;
    this.#fetch();
  }

  /** Reads no further; a read that is under way may still come to its end. */
  hold(): void {
    this.#allowed = false;
  }

  /**
   * Waits until nothing is left to be sent. One call at a time.
   *
   * @throws {Error} when the connection closed before
   */
  drained(): Promise<void> {
    if (this.writableLength === 0) return Promise.resolve();
    if (this.destroyed) return Promise.reject(new Error(CLOSED));
    this.#drained = Promise.withResolvers<void>();
    return this.#drained.promise;
  }

  override _read(): void {
    this.#wanted = true;
    this.#fetch();
  }

  #fetch(): void {
    if (!this.#wanted || !this.#allowed || this.destroyed) return;
    this.#wanted = false;
    this.#raw.read(this.#buffer).then((count) => {
      if (count === null) {
        this.push(null);
        return;
      }
      // A copy, since what is pushed may wait while the buffer is read into again.
      const octets = Buffer.from(this.#buffer.subarray(0, count));
      if (this.#hello !== undefined && this.#hello.length < HELLO_OCTETS) {
        this.#hello = Buffer.concat([this.#hello, octets]).subarray(0, HELLO_OCTETS);
      }
      if (count === this.#buffer.length) this.#buffer = new Uint8Array(LARGE_READ);
      else if (this.#buffer.length > SMALL_READ) this.#buffer = new Uint8Array(SMALL_READ);
      this.push(octets);
    }).catch((error) => this.destroy(error));
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this.#send(chunk).then(() => {
      done();
      if (this.writableLength > 0) return;
      this.#drained?.resolve();
      this.#drained = undefined;
    }, done);
  }

  async #send(chunk: Uint8Array): Promise<void> {
    let sent = await this.#raw.write(chunk);
    while (sent < chunk.length) sent += await this.#raw.write(chunk.subarray(sent));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#raw.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#raw[Symbol.dispose]();
    this.#drained?.reject(error ?? new Error(CLOSED));
    done(error);
  }
}
