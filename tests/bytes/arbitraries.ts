/** Random messages and random cuts for property tests of octets. */

import * as fc from "fast-check";

/** Octets that are mostly those that matter, in runs long enough to fill vectors. */
export const message: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("\n", "\r\n", "\r", ".", "\n.", "\r\n.", "\n\n") },
    { weight: 3, arbitrary: fc.nat(70).map((length) => "x".repeat(length)) },
    { weight: 1, arbitrary: fc.nat(255).map((octet) => String.fromCharCode(octet)) },
  ),
  { maxLength: 60 },
).map((pieces) => Uint8Array.from(pieces.join(""), (character) => character.charCodeAt(0)));

/** Lengths of pieces; what is left over after them is one more piece. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(90), { maxLength: 12 });

/** Cuts octets into pieces of the given lengths, empty ones included. */
export function piecesOf(
  octets: Uint8Array<ArrayBuffer>,
  lengths: readonly number[],
): Uint8Array<ArrayBuffer>[] {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  for (const length of lengths) {
    pieces.push(octets.subarray(start, start + length));
    start = Math.min(octets.length, start + length);
  }
  pieces.push(octets.subarray(start));
  return pieces;
}

/** Joins pieces again. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let length = 0;
  for (const piece of pieces) {
    whole.set(piece, length);
    length += piece.length;
  }
  return whole;
}
