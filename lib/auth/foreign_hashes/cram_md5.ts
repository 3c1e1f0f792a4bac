/** CRAM-MD5's half-made HMAC, as Dovecot keeps it: the states of MD5 after the first block of both its hashes (RFC 2195, RFC 2104). */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";

const BLOCK = 64;
/** Octets of both states. */
export const CRAM_MD5_OCTETS = 32;

/** Checks a password. @param data outer and inner state in base64 */
export function verifyCramMd5(password: string, data: string): boolean {
  const octets = Buffer.from(password);
  const key = Buffer.alloc(BLOCK);
  (octets.length > BLOCK ? createHash("md5").update(octets).digest() : octets).copy(key);
  const states = [0x5c, 0x36].map((pad) => md5Block(key.map((octet) => octet ^ pad)));
  return timingSafeEqual(Buffer.concat(states), Buffer.from(data, "base64"));
}

/** RFC 1321, section 3.4: the additive constants and the rotations of a block's 64 steps. */
const SINES = Array.from(
  { length: 64 },
  (_, at) => Math.floor(Math.abs(Math.sin(at + 1)) * 2 ** 32),
);
const ROTATIONS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]] as const;

/** The state of MD5 after one block; libraries tell it of none. */
function md5Block(block: Uint8Array): Buffer {
  const words = new Uint32Array(16);
  const view = new DataView(block.buffer, block.byteOffset, BLOCK);
  for (let at = 0; at < 16; at++) words[at] = view.getUint32(4 * at, true);
  const start = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;
  let [a, b, c, d] = start as readonly number[] as [number, number, number, number];
  for (let step = 0; step < 64; step++) {
    const round = step >> 4;
    const mixed = round === 0
      ? (b & c) | (~b & d)
      : round === 1
      ? (d & b) | (~d & c)
      : round === 2
      ? b ^ c ^ d
      : c ^ (b | ~d);
    const word = round === 0
      ? step
      : round === 1
      ? (5 * step + 1) % 16
      : round === 2
      ? (3 * step + 5) % 16
      : (7 * step) % 16;
    const sum = (a + mixed + SINES[step]! + words[word]!) >>> 0;
    const by = ROTATIONS[round]![step % 4]!;
    [a, d, c, b] = [d, c, b, (b + ((sum << by) | (sum >>> (32 - by)))) >>> 0];
  }
  const state = Buffer.alloc(16);
  [a, b, c, d].forEach((word, at) => state.writeUInt32LE((word + start[at]!) >>> 0, 4 * at));
  return state;
}
