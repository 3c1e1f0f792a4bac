/** Stored messages that tests make up, and that tell what was done with them. */

import { closeSync, openSync } from "node:fs";
import { MessageChangedError, type StoredMessage } from "../../lib/contracts/mail_store.ts";
import type { ProgramInput } from "../../lib/transform/program_run.ts";

/** A message in memory; counts how often it was given to a program and how often it was disposed. */
export class FakeMessage implements StoredMessage {
  readonly size: number;
  readonly storedSize: number;
  readonly verbatim = false;
  readonly file = undefined;
  given = 0;
  disposals = 0;
  readonly #octets: Uint8Array;
  readonly #left: number;
  #read = 0;

  /**
   * @param content its octets, or how many there are (each made of its place)
   * @param left how many of them a program finds: fewer than all where another program cut the file
   */
  constructor(content: string | number, left?: number) {
    this.#octets = typeof content === "string"
      ? new TextEncoder().encode(content)
      : Uint8Array.from({ length: content }, (_, index) => patternAt(index));
    this.size = this.storedSize = this.#octets.length;
    this.#left = left ?? this.storedSize;
  }

  readSync(into: Uint8Array): number | null {
    this.#mustBeOpen();
    const octets = this.#octets.subarray(this.#read, this.#read + into.length);
    if (octets.length === 0) return null;
    into.set(octets);
    this.#read += octets.length;
    return octets.length;
  }

  /** The message as a program's standard input: a file without a name. */
  input(): ProgramInput {
    this.#mustBeOpen();
    this.given++;
    const path = Deno.makeTempFileSync({ prefix: "postern-" });
    try {
      Deno.writeFileSync(path, this.#octets.subarray(0, this.#left));
      const number = openSync(path, "r");
      return {
        number,
        size: this.storedSize,
        checkWhole: () => this.#checkWhole(),
        [Symbol.dispose]: () => closeSync(number),
      };
    } finally {
      Deno.removeSync(path);
    }
  }

  #checkWhole(): void {
    this.#mustBeOpen();
    if (this.#left < this.storedSize) throw new MessageChangedError("another program cut it");
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }

  #mustBeOpen(): void {
    if (this.disposals > 0) throw new Error("the message was used after it was disposed");
  }
}

/** The octet at a place of a message of which only the length was given. */
export function patternAt(index: number): number {
  return (index * 31 + (index >> 8)) & 0xff;
}
