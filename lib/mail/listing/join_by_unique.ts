/** Walks two lists of names side by side, one unique part after the other. */

import type { YieldingTask } from "../../async/yielder.ts";
import { compareUnique, uniquePart } from "../naming/maildir_name.ts";
import type { NameTable } from "./name_table.ts";

/** Rows that are looked at between two looks at the clock. */
const ROWS_A_LOOK = 64;

/** Rows of one unique part on both sides; a side may have none. Ends are exclusive. */
export interface Group {
  readonly left: number;
  readonly leftEnd: number;
  readonly right: number;
  readonly rightEnd: number;
}

interface Named {
  readonly names: NameTable;
}

/**
 * Visits each unique part that either side has, in order. Both sides are in the order of numbers, so that neither needs a table by name.
 *
 * @param task lets others run in between
 */
export async function joinByUnique(
  { names: left }: Named,
  { names: right }: Named,
  visit: (group: Group) => void | Promise<void>,
  task: YieldingTask,
): Promise<void> {
  const [ours, theirs] = [new Cursor(left), new Cursor(right)];
  for (let count = 1; !ours.isAtEnd || !theirs.isAtEnd; count++) {
    const order = ours.isAtEnd ? 1 : theirs.isAtEnd ? -1 : compareUnique(ours.name, theirs.name);
    const [from, to] = [ours.row, theirs.row];
    if (order <= 0) ours.next() || await ours.farNext(task);
    if (order >= 0) theirs.next() || await theirs.farNext(task);
    const visiting = visit({ left: from, leftEnd: ours.row, right: to, rightEnd: theirs.row });
    if (visiting !== undefined) await visiting;
    if (count % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
}

/** A place in a list of names, which goes from one unique part to the next. */
export class Cursor {
  /** The first row of the present unique part. */
  row = 0;
  /** Its name. */
  name = "";
  readonly #names: NameTable;

  constructor(names: NameTable) {
    this.#names = names;
    if (!this.isAtEnd) this.name = names.at(0);
  }

  get isAtEnd(): boolean {
    return this.row >= this.#names.length;
  }

  /**
   * Goes to the next unique part. Rows of one are few, but for somebody who wants to hold others up.
   *
   * @returns false when it has not come there yet
   */
  next(): boolean {
    const unique = uniquePart(this.name);
    for (let count = 0; count < ROWS_A_LOOK; count++) {
      if (++this.row >= this.#names.length) return true;
      const name = this.#names.at(this.row);
      if (!name.startsWith(unique) || uniquePart(name) !== unique) {
        this.name = name;
        return true;
      }
    }
    return false;
  }

  /** Goes on where {@linkcode next} has not come there. */
  async farNext(task: YieldingTask): Promise<void> {
    while (!this.next()) if (task.due()) await task.pause();
  }
}
