/** Tells tests whether folders were listed, or an earlier listing relied on. */

/** Counts the folders that are listed; one that lists nothing is read a second time and counts once. */
export class CountedListings implements Disposable {
  readonly #readDirSync = Deno.readDirSync;
  readonly #readDir = Deno.readDir;
  readonly #listed = new Set<string>();

  constructor() {
    Deno.readDirSync = (path) => {
      this.#listed.add(String(path));
      return this.#readDirSync.call(Deno, path);
    };
    Deno.readDir = (path) => {
      this.#listed.add(String(path));
      return this.#readDir.call(Deno, path);
    };
  }

  /** Since the last time that it was asked. */
  take(): number {
    const count = this.#listed.size;
    this.#listed.clear();
    return count;
  }

  [Symbol.dispose](): void {
    Deno.readDirSync = this.#readDirSync;
    Deno.readDir = this.#readDir;
  }
}
