/** Tells tests whether folders were listed, or an earlier listing relied on. */

/** Counts how often folders are listed. */
export class CountedListings implements Disposable {
  readonly #readDirSync = Deno.readDirSync;
  readonly #readDir = Deno.readDir;
  #count = 0;

  constructor() {
    Deno.readDirSync = (path) => {
      this.#count++;
      return this.#readDirSync.call(Deno, path);
    };
    Deno.readDir = (path) => {
      this.#count++;
      return this.#readDir.call(Deno, path);
    };
  }

  /** Since the last time that it was asked. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  [Symbol.dispose](): void {
    Deno.readDirSync = this.#readDirSync;
    Deno.readDir = this.#readDir;
  }
}
