/** A queue in which nobody waits for all that one other has put in before: each one's first comes before anyone's second. */

/**
 * Items of several owners. They are taken in turn: of each owner the one that has waited longest.
 *
 * @example
 * ```ts
 * const queue = new FairQueue<string>();
 * for (const item of ["a1", "a2", "b1"]) queue.push(item[0]!, item);
 * [queue.shift(), queue.shift(), queue.shift()]; // ["a1", "b1", "a2"]
 * ```
 */
export class FairQueue<T> {
  /** By owner, in the order in which their turns come. */
  readonly #owners = new Map<string, T[]>();
  #size = 0;

  /** How many items wait. */
  get size(): number {
    return this.#size;
  }

  /** How many items of an owner wait. */
  sizeOf(owner: string): number {
    return this.#owners.get(owner)?.length ?? 0;
  }

  /** Puts an item behind its owner's others. */
  push(owner: string, item: T): void {
    const items = this.#owners.get(owner);
    if (items === undefined) this.#owners.set(owner, [item]);
    else items.push(item);
    this.#size++;
  }

  /** Takes the item whose turn it is; undefined when none waits. */
  shift(): T | undefined {
    const [first] = this.#owners;
    if (first === undefined) return undefined;
    const [owner, items] = first;
    const item = items.shift();
    this.#owners.delete(owner);
    if (items.length > 0) this.#owners.set(owner, items);
    this.#size--;
    return item;
  }
}
