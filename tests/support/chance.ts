/** Chance that can be repeated: a small generator of pseudo-random numbers, and choices made with it. */

/** Makes choices from a seed; the same seed makes the same choices. Good for tests, not for secrets. */
export class Chance {
  #state: number;

  /** @param seed any 32-bit number */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True in so many of a hundred cases. */
  percent(cases: number): boolean {
    return this.next() * 100 < cases;
  }

  /** One of several. */
  of<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)]!;
  }

  /** Octets, all 256 of them equally likely. */
  octets(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.between(0, 255));
  }

  /** A generator of its own for a part of the work, so that parts do not depend on each other's order. */
  fork(part: number): Chance {
    return new Chance(Math.imul(this.#state ^ part, 0x9e3779b1) ^ (part << 7));
  }
}
