/** Reads an open message once to tell how many octets it has when it is sent. */

import { WireMeter, type WireSize } from "../bytes/wire_meter.ts";
import type { Breather } from "./breather.ts";

/** A message's measures. */
export interface MeasuredSize extends WireSize {
  /** Octets as stored, of which `size` tells; what a program appends later does not belong to it. */
  readonly storedSize: number;
}

/**
 * Reads from the file's present position to where its end was when it was opened.
 *
 * @param fileSize octets that the file had when it was opened
 * @param breather lets others run between two pieces of a big message
 */
export async function measureFile(
  file: Deno.FsFile,
  fileSize: number,
  breather: Breather,
): Promise<MeasuredSize> {
  const meter = new WireMeter();
  let storedSize = 0;
  while (storedSize < fileSize) {
    const room = Math.min(meter.input.length, fileSize - storedSize);
    const octets = file.readSync(
      room < meter.input.length ? meter.input.subarray(0, room) : meter.input,
    );
    if (octets === null) break;
    meter.add(octets);
    storedSize += octets;
    if (storedSize < fileSize && breather.due()) await breather.pause();
  }
  return { ...meter.finish(), storedSize };
}
