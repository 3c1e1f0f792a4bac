// The rounds of SHA512-CRYPT, in AssemblyScript: `deno task sha512-rounds` compiles it to sha512_rounds.wasm. Called from
// JavaScript once a round, SHA-512 costs four times as much.
// deno-lint-ignore-file
// @ts-nocheck: AssemblyScript has its own types and its own compiler.

/** Octets of a key that are taken. */
const KEY_OCTETS = 1024;
/** Octets of a salt that are taken. */
const SALT_OCTETS = 16;

/** Constants of SHA-512 (FIPS 180-4, section 4.2.3). */
const K = memory.data<u64>([
  0x428a2f98d728ae22,
  0x7137449123ef65cd,
  0xb5c0fbcfec4d3b2f,
  0xe9b5dba58189dbbc,
  0x3956c25bf348b538,
  0x59f111f1b605d019,
  0x923f82a4af194f9b,
  0xab1c5ed5da6d8118,
  0xd807aa98a3030242,
  0x12835b0145706fbe,
  0x243185be4ee4b28c,
  0x550c7dc3d5ffb4e2,
  0x72be5d74f27b896f,
  0x80deb1fe3b1696b1,
  0x9bdc06a725c71235,
  0xc19bf174cf692694,
  0xe49b69c19ef14ad2,
  0xefbe4786384f25e3,
  0x0fc19dc68b8cd5b5,
  0x240ca1cc77ac9c65,
  0x2de92c6f592b0275,
  0x4a7484aa6ea6e483,
  0x5cb0a9dcbd41fbd4,
  0x76f988da831153b5,
  0x983e5152ee66dfab,
  0xa831c66d2db43210,
  0xb00327c898fb213f,
  0xbf597fc7beef0ee4,
  0xc6e00bf33da88fc2,
  0xd5a79147930aa725,
  0x06ca6351e003826f,
  0x142929670a0e6e70,
  0x27b70a8546d22ffc,
  0x2e1b21385c26c926,
  0x4d2c6dfc5ac42aed,
  0x53380d139d95b3df,
  0x650a73548baf63de,
  0x766a0abb3c77b2a8,
  0x81c2c92e47edaee6,
  0x92722c851482353b,
  0xa2bfe8a14cf10364,
  0xa81a664bbc423001,
  0xc24b8b70d0f89791,
  0xc76c51a30654be30,
  0xd192e819d6ef5218,
  0xd69906245565a910,
  0xf40e35855771202a,
  0x106aa07032bbd1b8,
  0x19a4c116b8d2d0c8,
  0x1e376c085141ab53,
  0x2748774cdf8eeb99,
  0x34b0bcb5e19b48a8,
  0x391c0cb3c5c95a63,
  0x4ed8aa4ae3418acb,
  0x5b9cca4f7763e373,
  0x682e6ff3d6b2b8a3,
  0x748f82ee5defb2fc,
  0x78a5636f43172f60,
  0x84c87814a1f0ab72,
  0x8cc702081a6439ec,
  0x90befffa23631e28,
  0xa4506cebde82bde9,
  0xbef9a3f7b2c67915,
  0xc67178f2e372532b,
  0xca273eceea26619c,
  0xd186b8c721c0c207,
  0xeada7dd6cde0eb1e,
  0xf57d4f7fee6ed178,
  0x06f067aa72176fba,
  0x0a637dc5a2c898a6,
  0x113f9804bef90dae,
  0x1b710b35131c471b,
  0x28db77f523047d84,
  0x32caab7b40c72493,
  0x3c9ebe0a15c9bebc,
  0x431d67c49c100d4c,
  0x4cc5d4becb3e42b6,
  0x597f299cfc657e2a,
  0x5fcb6fab3ad6faec,
  0x6c44198c4a475817,
], 16);

/** The message schedule of one block. */
const W = memory.data(80 * 8, 16);
/** The eight words of the hash under way. */
const STATE = memory.data(64, 16);
const DIGEST = memory.data(64, 16);
const KEY = memory.data(KEY_OCTETS, 16);
const SALT = memory.data(SALT_OCTETS, 16);
/** What one round hashes: twice the key, salt, digest, and the padding of SHA-512. */
const MESSAGE = memory.data(2 * KEY_OCTETS + SALT_OCTETS + 64 + 2 * 128, 16);

/** Where the caller puts the digest of step 12 of the description, and finds that of step 21. */
export function digestAddress(): usize {
  return DIGEST;
}

/** Where the caller puts P, as long as the key. */
export function keyAddress(): usize {
  return KEY;
}

/** Where the caller puts S, as long as the salt. */
export function saltAddress(): usize {
  return SALT;
}

/**
 * Step 21 of the description, from a round on whose number is a multiple of 42.
 *
 * @param count how many rounds
 * @param keyLength octets at {@linkcode keyAddress}, at most 1024
 * @param saltLength octets at {@linkcode saltAddress}, at most 16
 */
export function rounds(count: u32, keyLength: u32, saltLength: u32): void {
  for (let round: u32 = 0; round < count; round++) {
    const odd = (round & 1) === 1;
    let to = odd ? put(MESSAGE, KEY, keyLength) : put(MESSAGE, DIGEST, 64);
    if (round % 3 !== 0) to = put(to, SALT, saltLength);
    if (round % 7 !== 0) to = put(to, KEY, keyLength);
    to = odd ? put(to, DIGEST, 64) : put(to, KEY, keyLength);
    hash((to - MESSAGE) as u32);
  }
}

function put(to: usize, from: usize, length: u32): usize {
  memory.copy(to, from, length);
  return to + length;
}

/** SHA-512 of the message's first octets into the digest (FIPS 180-4, section 6.4). */
function hash(length: u32): void {
  store<u64>(STATE, 0x6a09e667f3bcc908, 0);
  store<u64>(STATE, 0xbb67ae8584caa73b, 8);
  store<u64>(STATE, 0x3c6ef372fe94f82b, 16);
  store<u64>(STATE, 0xa54ff53a5f1d36f1, 24);
  store<u64>(STATE, 0x510e527fade682d1, 32);
  store<u64>(STATE, 0x9b05688c2b3e6c1f, 40);
  store<u64>(STATE, 0x1f83d9abfb41bd6b, 48);
  store<u64>(STATE, 0x5be0cd19137e2179, 56);
  const blocks = (length + 17 + 127) >> 7;
  const end = MESSAGE + (blocks << 7);
  memory.fill(MESSAGE + length, 0, end - MESSAGE - length);
  store<u8>(MESSAGE + length, 0x80);
  store<u64>(end - 8, bswap<u64>((length as u64) << 3));
  for (let block = MESSAGE; block < end; block += 128) compress(block);
  for (let i: usize = 0; i < 64; i += 8) {
    store<u64>(DIGEST + i, bswap<u64>(load<u64>(STATE + i)));
  }
}

function compress(block: usize): void {
  for (let i: usize = 0; i < 128; i += 8) store<u64>(W + i, bswap<u64>(load<u64>(block + i)));
  for (let i = W; i < W + 64 * 8; i += 8) {
    const x = load<u64>(i, 8);
    const y = load<u64>(i, 14 * 8);
    const low = rotr<u64>(x, 1) ^ rotr<u64>(x, 8) ^ (x >> 7);
    const high = rotr<u64>(y, 19) ^ rotr<u64>(y, 61) ^ (y >> 6);
    store<u64>(i, load<u64>(i) + low + load<u64>(i, 9 * 8) + high, 16 * 8);
  }
  let a = load<u64>(STATE, 0);
  let b = load<u64>(STATE, 8);
  let c = load<u64>(STATE, 16);
  let d = load<u64>(STATE, 24);
  let e = load<u64>(STATE, 32);
  let f = load<u64>(STATE, 40);
  let g = load<u64>(STATE, 48);
  let h = load<u64>(STATE, 56);
  let t: u64;
  for (let i: usize = 0; i < 80 * 8; i += 64) {
    t = h + sum1(e) + ((e & f) ^ (~e & g)) + load<u64>(K + i, 0) + load<u64>(W + i, 0);
    d += t;
    h = t + sum0(a) + ((a & b) ^ (a & c) ^ (b & c));
    t = g + sum1(d) + ((d & e) ^ (~d & f)) + load<u64>(K + i, 8) + load<u64>(W + i, 8);
    c += t;
    g = t + sum0(h) + ((h & a) ^ (h & b) ^ (a & b));
    t = f + sum1(c) + ((c & d) ^ (~c & e)) + load<u64>(K + i, 16) + load<u64>(W + i, 16);
    b += t;
    f = t + sum0(g) + ((g & h) ^ (g & a) ^ (h & a));
    t = e + sum1(b) + ((b & c) ^ (~b & d)) + load<u64>(K + i, 24) + load<u64>(W + i, 24);
    a += t;
    e = t + sum0(f) + ((f & g) ^ (f & h) ^ (g & h));
    t = d + sum1(a) + ((a & b) ^ (~a & c)) + load<u64>(K + i, 32) + load<u64>(W + i, 32);
    h += t;
    d = t + sum0(e) + ((e & f) ^ (e & g) ^ (f & g));
    t = c + sum1(h) + ((h & a) ^ (~h & b)) + load<u64>(K + i, 40) + load<u64>(W + i, 40);
    g += t;
    c = t + sum0(d) + ((d & e) ^ (d & f) ^ (e & f));
    t = b + sum1(g) + ((g & h) ^ (~g & a)) + load<u64>(K + i, 48) + load<u64>(W + i, 48);
    f += t;
    b = t + sum0(c) + ((c & d) ^ (c & e) ^ (d & e));
    t = a + sum1(f) + ((f & g) ^ (~f & h)) + load<u64>(K + i, 56) + load<u64>(W + i, 56);
    e += t;
    a = t + sum0(b) + ((b & c) ^ (b & d) ^ (c & d));
  }
  store<u64>(STATE, load<u64>(STATE, 0) + a, 0);
  store<u64>(STATE, load<u64>(STATE, 8) + b, 8);
  store<u64>(STATE, load<u64>(STATE, 16) + c, 16);
  store<u64>(STATE, load<u64>(STATE, 24) + d, 24);
  store<u64>(STATE, load<u64>(STATE, 32) + e, 32);
  store<u64>(STATE, load<u64>(STATE, 40) + f, 40);
  store<u64>(STATE, load<u64>(STATE, 48) + g, 48);
  store<u64>(STATE, load<u64>(STATE, 56) + h, 56);
}

function sum0(x: u64): u64 {
  return rotr<u64>(x, 28) ^ rotr<u64>(x, 34) ^ rotr<u64>(x, 39);
}

function sum1(x: u64): u64 {
  return rotr<u64>(x, 14) ^ rotr<u64>(x, 18) ^ rotr<u64>(x, 41);
}
