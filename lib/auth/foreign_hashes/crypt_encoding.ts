/** The characters in which crypt(3) writes digests: six bits each, lowest first. */

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Writes the lowest bits of a number. @param count characters */
export function characters(bits: number, count: number): string {
  let text = "";
  for (let index = 0; index < count; index++) text += ALPHABET[(bits >> (6 * index)) & 63];
  return text;
}
