/** Walks two lists of names side by side, one identity after the other. */

import type { YieldingTask } from "../../async/yielder.ts";
import { compareIdentities, identityPart } from "../naming/maildir_name.ts";
import type { NameTable } from "./name_table.ts";

/** Rows that are looked at between two looks at the clock. */
const ROWS_A_LOOK = 64;

/** Rows of one identity on both sides; a side may have none. Ends are exclusive. */
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
 * Visits each identity that either side has, in order. Both sides are in the order of numbers, so that neither needs a table by name.
 *
 * @param task lets others run in between
 */
export async function joinByIdentity(
  { names: left }: Named,
  { names: right }: Named,
  visit: (group: Group) => void | Promise<void>,
  task: YieldingTask,
): Promise<void> {
  const [ours, theirs] = [new Cursor(left), new Cursor(right)];
  for (let count = 1; !ours.isAtEnd || !theirs.isAtEnd; count++) {
    const order = ours.isAtEnd
      ? 1
      : theirs.isAtEnd
      ? -1
      : compareIdentities(ours.name, theirs.name);
    const [from, to] = [ours.row, theirs.row];
    if (order <= 0) ours.next() || await ours.farNext(task);
    if (order >= 0) theirs.next() || await theirs.farNext(task);
    const visiting = visit({ left: from, leftEnd: ours.row, right: to, rightEnd: theirs.row });
    if (visiting !== undefined) await visiting;
    if (count % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
}

/** A place in a list of names, which goes from one identity to the next. */
export class Cursor {
  /** The first row of the present identity. */
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
   * Goes to the next identity. Rows of one are few, but for somebody who wants to hold others up.
   *
   * @returns false when it has not come there yet
   */
  next(): boolean {
    const identity = identityPart(this.name);
    for (let count = 0; count < ROWS_A_LOOK; count++) {
      if (++this.row >= this.#names.length) return true;
      const name = this.#names.at(this.row);
      if (!name.startsWith(identity) || identityPart(name) !== identity) {
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
