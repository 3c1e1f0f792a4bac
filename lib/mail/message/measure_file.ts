/** Reads open messages once to tell how many octets they have when they are sent. */

import type { YieldingTask } from "../../async/yielder.ts";
import { WireMeter, type WireSize } from "../../bytes/wire_meter.ts";
import { measurePacked, type Packing, packingOf } from "./packed_message.ts";
import { Mark, type MessageIndex } from "../folder/message_index.ts";

/**
 * Octets of the biggest message that is measured: more than any mail program can take, and half a minute's reading of what the system has in
 * memory. A sparse file can say that it has 8 EiB.
 */
const MOST_OCTETS = 32 * 1024 ** 3;

/** A message that is too big to be measured. */
export class MessageTooBigError extends Error {
  override name = "MessageTooBigError";
}

/** A message's measures. */
export interface MeasuredSize extends WireSize {
  /** Whether it is stored compressed; `size` is that of what is sent. */
  readonly packed?: boolean;
  /** Octets as stored, of which `size` tells; what a program appends later does not belong to it. */
  readonly storedSize: number;
}

/** What is measured. */
interface Readable {
  /** Reads the next octets. Returns how many, or null at the end. */
  readSync(into: Uint8Array): number | null;
  /** Goes back to the beginning. */
  rewind(): void;
}

/** Measures files one after the other with one meter. */
export class FileMeter {
  readonly #meter = new WireMeter();
  readonly #task: YieldingTask;

  /** @param task lets others run between two pieces of a big message */
  constructor(task: YieldingTask) {
    this.#task = task;
  }

  /**
   * Reads from the file's beginning to where its end was when it was opened. A small file is measured at once, since a hundred thousand
   * promises would take as long as their files.
   *
   * @param fileSize octets that the file had when it was opened
   * @param mayBePacked whether it is looked for compressed messages, which are measured as they are sent
   * @throws {MessageTooBigError} when it is too big to be read
   */
  measure(
    file: Readable,
    fileSize: number,
    mayBePacked = false,
  ): MeasuredSize | Promise<MeasuredSize> {
    const meter = this.#meter;
    if (fileSize > MOST_OCTETS) {
      throw new MessageTooBigError(
        `A message of ${fileSize} octets is too big to be measured; at most ${MOST_OCTETS} are read.`,
      );
    }
    if (fileSize > meter.input.length) {
      const packing = mayBePacked ? startOf(file) : undefined;
      return packing === undefined
        ? this.#measureBig(file, fileSize)
        : this.#measurePacked(file, fileSize, packing);
    }
    let storedSize = 0;
    let wire: WireSize;
    try {
      while (storedSize < fileSize) {
        const read = file.readSync(meter.input);
        if (read === null) break;
        const packing = mayBePacked && storedSize === 0 ? packingOf(meter.input) : undefined;
        if (packing !== undefined) return this.#measurePacked(file, fileSize, packing);
        const octets = Math.min(read, fileSize - storedSize);
        meter.add(octets);
        storedSize += octets;
      }
    } finally {
      // Also when reading failed: the next message begins with a fresh meter.
      wire = meter.finish();
    }
    return withStored(wire, storedSize);
  }

  async #measurePacked(
    file: Readable,
    fileSize: number,
    packing: Packing,
  ): Promise<MeasuredSize> {
    file.rewind();
    const wire = await measurePacked(file, packing, fileSize, this.#task);
    file.rewind();
    // What only looks packed is sent as it is.
    if (wire === undefined) return await this.measure(file, fileSize);
    return { ...wire, storedSize: fileSize, packed: true };
  }

  async #measureBig(file: Readable, fileSize: number): Promise<MeasuredSize> {
    const meter = new WireMeter();
    let storedSize = 0;
    while (storedSize < fileSize) {
      const room = Math.min(meter.input.length, fileSize - storedSize);
      const octets = file.readSync(meter.input.subarray(0, room));
      if (octets === null) break;
      meter.add(octets);
      storedSize += octets;
      if (this.#task.due()) await this.#task.pause();
    }
    return withStored(meter.finish(), storedSize);
  }
}

/** How a file is packed, by its beginning. */
function startOf(file: Readable): Packing | undefined {
  const start = new Uint8Array(4);
  file.readSync(start);
  file.rewind();
  return packingOf(start);
}

function withStored({ size, verbatim }: WireSize, storedSize: number): MeasuredSize {
  return { size, verbatim, storedSize };
}

/**
 * Writes a file's measures into its row.
 *
 * @param modified the file's time when it was opened, milliseconds since 1970; 0 where nobody asked
 */
export function keepMeasures(
  messageIndex: MessageIndex,
  row: number,
  { size, storedSize, verbatim, packed = false }: MeasuredSize,
  modified: number,
): void {
  const kept = messageIndex.marks[row]! & ~(Mark.VERBATIM | Mark.PACKED);
  messageIndex.marks[row] = kept | (verbatim ? Mark.VERBATIM : 0) | (packed ? Mark.PACKED : 0);
  messageIndex.size[row] = size;
  messageIndex.storedSize[row] = storedSize;
  messageIndex.modified[row] = modified;
}
