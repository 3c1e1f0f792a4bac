/** How the kernel's memory is laid out: one place for input, places for output. */

import { memory } from "./kernel/kernel.wasm";

/** Octets of the input area: what one call of the kernel takes at most. */
export const INPUT_SIZE = 256 * 1024;

/**
 * What an output area holds at least: a first line, a whole input of dots and bare line ends, the end of the
 * message.
 */
export const OUTPUT_SIZE = 512 + 2 * INPUT_SIZE + 8;

/** Output areas for messages that are on their way; one more is scratch. */
export const SLOTS = 16;

/**
 * Address of the one input area. Everyone shares it: files are read synchronously, and nothing is awaited
 * between filling it and calling the kernel. The page before it is the kernel's own, for the octet before the
 * first.
 */
export const INPUT = 2 * 64 * 1024;

/** The whole input area. */
export const INPUT_OCTETS: Uint8Array<ArrayBuffer> = kernelView(INPUT, INPUT_SIZE);

/**
 * Whole pages, so that output areas share none, with room for the vectors that the kernel writes past the end.
 */
const SLOT_DISTANCE = Math.ceil((OUTPUT_SIZE + 64) / 4096) * 4096;

/** Address of the output area whose content is copied away at once. */
export const SCRATCH = INPUT + INPUT_SIZE + 4096;

/** Address of an output area, `0 <= slot < SLOTS`. */
export function slotAddress(slot: number): number {
  return SCRATCH + (slot + 1) * SLOT_DISTANCE;
}

/** The part of the kernel's memory from an address on. The memory never grows, so the view stays good. */
export function kernelView(address: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(memory.buffer as ArrayBuffer, address, length);
}

/** Whether octets lie in the kernel's memory, so that `byteOffset` is their address. */
export function isInKernel(octets: Uint8Array): boolean {
  return octets.buffer === memory.buffer;
}
