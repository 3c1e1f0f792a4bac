/** The order in which names are listed, wherever they are kept. */

/** Orders names by their octets in UTF-8, which is the order of their code points. */
export function byOctets(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const difference = rank(one.charCodeAt(index)) - rank(other.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** UTF-16 puts surrogates below U+E000; UTF-8 puts what they stand for above U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x10000 : unit;
}
