// Dot-stuffing, CRLF, counting and searching with SIMD, in AssemblyScript: `deno task kernel` compiles it to
// kernel.wasm.
// deno-lint-ignore-file
// @ts-nocheck: AssemblyScript has its own types and its own compiler.

// All functions work on memory that the caller lays out (../kernel_memory.ts). Both rules look at an octet and
// the one before it: an LF after anything but a CR gets a CR, a dot after an LF gets a dot. So a vector may be
// loaded twice, once one octet earlier; the octet before the first one is put into memory by the caller's
// `previous`, and a message begins as if an LF had been before it.

const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const DOT: u8 = 0x2e;

/**
 * For each way that 8 octets may want something before them (a bit an octet), 16 lanes of a vector that holds
 * the octets in its lanes 0-7 and what is put before them in 8-15.
 */
const SPREAD = memory.data(256 * 16, 16);
for (let changes: usize = 0; changes < 256; changes++) {
  let lane = SPREAD + changes * 16;
  for (let octet: usize = 0; octet < 8; octet++) {
    if ((changes >> octet) & 1) store<u8>(lane++, (octet + 8) as u8);
    store<u8>(lane++, octet as u8);
  }
}

/** Up to so many LFs in 64 octets, each is looked at by itself; with more, spreading all octets by the table takes less time. */
const FEW: u64 = 3;

/** Dots that the last `stuff` put in. */
let dots: u32 = 0;

/** The dots that the last call of {@linkcode stuff} put in. */
export function stuffedDots(): u32 {
  return dots;
}

/**
 * Writes `length` octets of `from` to `to`, with CRLF line ends and stuffed dots. The octet before `from` is
 * overwritten, and so is what lies behind the octets written, up to twice `length` and eight from `to` on.
 *
 * @returns how many octets were written, at most twice `length`
 */
export function stuff(from: usize, length: u32, previous: u32, to: usize): u32 {
  store<u8>(from - 1, previous as u8);
  const begin = to;
  const end = from + length;
  dots = 0;
  const lf = i8x16.splat(LF);

  while (from + 64 <= end) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    const lfA = i8x16.eq(a, lf);
    const lfB = i8x16.eq(b, lf);
    const lfC = i8x16.eq(c, lf);
    const lfD = i8x16.eq(d, lf);
    const lineEnds = bits(lfA, lfB, lfC, lfD);
    if (popcnt(lineEnds) <= FEW) {
      v128.store(to, a);
      v128.store(to, b, 16);
      v128.store(to, c, 32);
      v128.store(to, d, 48);
      to = stuffLines(from, lineEnds, to);
    } else {
      to = stuffVector(from, a, lfA, to);
      to = stuffVector(from + 16, b, lfB, to);
      to = stuffVector(from + 32, c, lfC, to);
      to = stuffVector(from + 48, d, lfD, to);
    }
    from += 64;
  }
  return (stuffOctets(from, end, to) - begin) as u32;
}

/** The highest bits of 64 octets, the first octet's in the lowest. */
function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = (i8x16.bitmask(a) as u32) | ((i8x16.bitmask(b) as u32) << 16);
  const high = (i8x16.bitmask(c) as u32) | ((i8x16.bitmask(d) as u32) << 16);
  return (low as u64) | ((high as u64) << 32);
}

/**
 * Puts in what 64 octets want that have been written already, and of which few are LFs: what is behind each place is written anew, an
 * octet further. Writes at most 128 octets and eight.
 *
 * @param lineEnds a bit for each LF
 * @returns where the next octets are to be written
 */
function stuffLines(from: usize, lineEnds: u64, to: usize): usize {
  const end = from + 64;
  let shift = to - from;
  if (load<u8>(from) == DOT && load<u8>(from - 1) == LF) shift = putInDot(from, shift);
  for (; lineEnds; lineEnds &= lineEnds - 1) {
    const place = from + (ctz(lineEnds) as usize);
    if (load<u8>(place - 1) != CR) shift = putIn(CR, place, shift);
    if (load<u8>(place + 1) == DOT && place + 1 < end) shift = putInDot(place + 1, shift);
  }
  return end + shift;
}

function putInDot(place: usize, shift: usize): usize {
  dots++;
  return putIn(DOT, place, shift);
}

/** Puts an octet in before `place`, which lies `shift` octets further in the output. Returns how far the next octets lie. */
function putIn(octet: u8, place: usize, shift: usize): usize {
  const to = place + shift;
  const a = v128.load(place);
  const b = v128.load(place, 16);
  const c = v128.load(place, 32);
  const d = v128.load(place, 48);
  store<u8>(to, octet);
  v128.store(to, a, 1);
  v128.store(to, b, 17);
  v128.store(to, c, 33);
  v128.store(to, d, 49);
  return shift + 1;
}

/** Writes 16 octets with what has to be put in, without a branch. */
function stuffVector(from: usize, octets: v128, isLf: v128, to: usize): usize {
  const before = v128.load(from - 1);
  const bare = v128.andnot(isLf, i8x16.eq(before, i8x16.splat(CR)));
  const isDot = i8x16.eq(octets, i8x16.splat(DOT));
  const dotted = v128.and(isDot, i8x16.eq(before, i8x16.splat(LF)));
  dots += popcnt(i8x16.bitmask(dotted));
  const changes = i8x16.bitmask(v128.or(bare, dotted));
  // What is put in before each octet: an LF is turned into a CR, a dot is its own copy.
  const put = v128.xor(octets, v128.and(bare, i8x16.splat(LF ^ CR)));
  const low = i8x16.shuffle(octets, put, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  const high = i8x16.shuffle(
    octets,
    put,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    24,
    25,
    26,
    27,
    28,
    29,
    30,
    31,
  );
  v128.store(to, i8x16.swizzle(low, v128.load(SPREAD + ((changes & 0xff) << 4))));
  to += 8 + popcnt(changes & 0xff);
  v128.store(to, i8x16.swizzle(high, v128.load(SPREAD + ((changes >> 8) << 4))));
  return to + 8 + popcnt(changes >> 8);
}

/** The same octet by octet: what is left at the end, and vectors with several changes. */
function stuffOctets(from: usize, end: usize, to: usize): usize {
  let previous = load<u8>(from - 1);
  while (from < end) {
    const octet = load<u8>(from++);
    if (octet == LF && previous != CR) {
      store<u8>(to++, CR);
    } else if (octet == DOT && previous == LF) {
      store<u8>(to++, DOT);
      dots++;
    }
    store<u8>(to++, octet);
    previous = octet;
  }
  return to;
}

/**
 * Counts the LFs without a CR before them in `length` octets of `from`. The octet before `from` is overwritten.
 *
 * @returns the count, in the lower 31 bits; the highest bit is set where a line begins with a dot
 */
export function measure(from: usize, length: u32, previous: u32): u32 {
  store<u8>(from - 1, previous as u8);
  const end = from + length;
  const lf = i8x16.splat(LF);
  const cr = i8x16.splat(CR);
  const dot = i8x16.splat(DOT);
  let dotted = i8x16.splat(0);
  let bareLfs: u32 = 0;

  while (from + 32 <= end) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const pa = v128.load(from - 1);
    const pb = v128.load(from - 1, 16);
    const bareA = v128.andnot(i8x16.eq(a, lf), i8x16.eq(pa, cr));
    const bareB = v128.andnot(i8x16.eq(b, lf), i8x16.eq(pb, cr));
    bareLfs += popcnt(i8x16.bitmask(bareA) | (i8x16.bitmask(bareB) << 16)) as u32;
    dotted = v128.or(dotted, v128.and(i8x16.eq(a, dot), i8x16.eq(pa, lf)));
    dotted = v128.or(dotted, v128.and(i8x16.eq(b, dot), i8x16.eq(pb, lf)));
    from += 32;
  }
  let flag: u32 = v128.any_true(dotted) ? 1 : 0;
  let before = load<u8>(from - 1);
  while (from < end) {
    const octet = load<u8>(from++);
    if (octet == LF && before != CR) bareLfs++;
    if (octet == DOT && before == LF) flag = 1;
    before = octet;
  }
  return bareLfs | (flag << 31);
}

/**
 * Searches the empty line behind a header: an LF behind an LF, or behind an LF and a CR.
 *
 * @param before the two octets before `from`, the nearer one in the higher bits; memory need not hold them
 * @returns the distance from `from` to what follows the empty line; 0 where there is none
 */
export function findBody(from: usize, length: u32, before: u32): u32 {
  const kept = load<u16>(from - 2);
  store<u16>(from - 2, before as u16);
  const place = emptyLineEnd(from, from + length);
  store<u16>(from - 2, kept);
  return place == 0 ? 0 : (place - from) as u32;
}

function emptyLineEnd(from: usize, end: usize): usize {
  const lf = i8x16.splat(LF);
  const cr = i8x16.splat(CR);
  while (from + 16 <= end) {
    const before = v128.load(from - 1);
    const behindLf = i8x16.eq(before, lf);
    const behindLfCr = v128.and(i8x16.eq(before, cr), i8x16.eq(v128.load(from - 2), lf));
    const found = v128.and(i8x16.eq(v128.load(from), lf), v128.or(behindLf, behindLfCr));
    const places = i8x16.bitmask(found);
    if (places) return from + ctz(places) + 1;
    from += 16;
  }
  for (; from < end; from++) {
    const before = load<u8>(from - 1);
    const behind = before == LF || (before == CR && load<u8>(from - 2) == LF);
    if (load<u8>(from) == LF && behind) return from + 1;
  }
  return 0;
}

/**
 * Skips lines, which end with an LF each.
 *
 * @param lines how many, at least 1
 * @returns the distance from `from` to what follows the last of them; where there are fewer line ends, their
 *   number, negated
 */
export function skipLines(from: usize, length: u32, lines: u32): i32 {
  const begin = from;
  const end = from + length;
  const lf = i8x16.splat(LF);
  let count: u32 = 0;
  while (from + 32 <= end) {
    const low = i8x16.bitmask(i8x16.eq(v128.load(from), lf));
    const high = i8x16.bitmask(i8x16.eq(v128.load(from, 16), lf));
    const more = popcnt(low | (high << 16)) as u32;
    if (count + more >= lines) break;
    count += more;
    from += 32;
  }
  while (from < end) {
    if (load<u8>(from++) != LF) continue;
    if (++count == lines) return (from - begin) as i32;
  }
  return -(count as i32);
}
