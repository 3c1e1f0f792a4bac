/** Brings what a cache knows of a mailbox together with what its folders list now. */

import type { YieldingTask } from "../../async/yielder.ts";
import { type Folder, MessageIndex } from "../folder/message_index.ts";
import { isFileError } from "../../files/file_error.ts";
import { type FileLook, lookAtName } from "../folder/file_look.ts";
import type { Listing } from "./listing.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { idPart } from "../naming/maildir_name.ts";
import { type Group, joinByIdentity } from "./join_by_identity.ts";

/** Renamed files of one identity that are told apart; more than two are an accident already. */
const MOST_TWINS = 16;

/** A listed mailbox. */
export interface Reconciled {
  readonly messageIndex: MessageIndex;
  /** Whether a file came, went or changed its name. */
  readonly changed: boolean;
}

/**
 * Makes a message index of exactly the listed files, in the order of their numbers, each with all that was known of it. A file is known by its
 * {@linkcode identityPart}: flags, fields and folder may have changed. In a plain folder it is known by its name.
 *
 * @param known an earlier message index, in order
 * @param task lets others run in between
 */
export async function reconcile(
  mailbox: Mailbox,
  listing: Listing,
  known: MessageIndex | undefined,
  task: YieldingTask,
): Promise<Reconciled> {
  const messageIndex = new MessageIndex(listing.names, listing.folders);
  if (known === undefined || known.length === 0) {
    return { messageIndex, changed: messageIndex.length > 0 };
  }
  const matcher = new Matcher(mailbox, known, messageIndex, task);
  await joinByIdentity(known, messageIndex, (group) => matcher.match(group), task);
  return { messageIndex, changed: matcher.changed };
}

/** Finds the known rows of listed files, one identity after the other. */
class Matcher {
  /** Whether a file came, went or changed its name. */
  changed = false;
  readonly #mailbox: Mailbox;
  readonly #known: MessageIndex;
  readonly #listed: MessageIndex;
  readonly #task: YieldingTask;

  constructor(mailbox: Mailbox, known: MessageIndex, listed: MessageIndex, task: YieldingTask) {
    this.#mailbox = mailbox;
    this.#known = known;
    this.#listed = listed;
    this.#task = task;
  }

  match(group: Group): void | Promise<void> {
    const { left, leftEnd, right, rightEnd } = group;
    if (left === leftEnd || right === rightEnd) this.changed = true;
    else if (leftEnd - left === 1 && rightEnd - right === 1) this.#matchOne(left, right);
    else return this.#matchSeveral(group);
  }

  async #matchSeveral(group: Group): Promise<void> {
    const { gone, fresh } = await this.#matchNames(group);
    if (gone.length === 0 && fresh.length === 0) return;
    this.changed = true;
    if (this.#mailbox.layout === "maildir") this.#matchRenamed(gone, fresh);
  }

  /** Most groups are one file that lies where it lay. */
  #matchOne(from: number, row: number): void {
    const isSame = this.#isSame(from, row);
    if (!isSame) this.changed = true;
    if (isSame) this.#listed.learn(row, this.#known, from);
    else if (this.#mailbox.layout === "maildir" && this.#isRenamed(from, row)) {
      this.#learnRenamed(row, from);
    }
  }

  /** Matches what has its name and folder still; tells what is left. */
  async #matchNames(
    { left, leftEnd, right, rightEnd }: Group,
  ): Promise<{ gone: number[]; fresh: number[] }> {
    const places = new Map<string, number>();
    for (let row = left; row < leftEnd; row++) {
      places.set(this.#placeOf(this.#known, row), row);
      if (this.#task.due()) await this.#task.pause();
    }
    const fresh: number[] = [];
    for (let row = right; row < rightEnd; row++) {
      if (this.#task.due()) await this.#task.pause();
      const place = this.#placeOf(this.#listed, row);
      const from = places.get(place);
      if (from === undefined) fresh.push(row);
      else this.#listed.learn(row, this.#known, from);
      places.delete(place);
    }
    return { gone: [...places.values()], fresh };
  }

  /** Finds, for files whose names are new, rows whose names are gone. */
  #matchRenamed(gone: readonly number[], fresh: readonly number[]): void {
    if (gone.length === 1 && fresh.length === 1) {
      if (this.#isRenamed(gone[0]!, fresh[0]!)) this.#learnRenamed(fresh[0]!, gone[0]!);
      return;
    }
    // Several: what the files say tells them apart. Great numbers are no accident, and would cost their square.
    const left = new Set(gone.slice(0, MOST_TWINS));
    for (const row of left.size === 0 ? [] : fresh.slice(0, MOST_TWINS)) {
      const look = lookAt(this.#pathOf(row));
      const from = [...left].find((each) =>
        look !== undefined && this.#known.looksLike(each, look)
      );
      if (from === undefined) continue;
      this.#learnRenamed(row, from);
      left.delete(from);
    }
  }

  /** Takes over what is known of a file that has another name now; its message keeps its id. */
  #learnRenamed(row: number, from: number): void {
    this.#listed.learn(row, this.#known, from);
    this.#listed.keepIdPart(row, this.#known.idPart(from));
  }

  /** Whether a file is the one of its identity that is gone. Where the sizes in the names differ, the file must show it. */
  #isRenamed(from: number, row: number): boolean {
    if (idPart(this.#known.names.at(from)) === idPart(this.#listed.names.at(row))) return true;
    const look = lookAt(this.#pathOf(row));
    return look !== undefined && this.#known.looksLike(from, look);
  }

  #isSame(from: number, row: number): boolean {
    return this.#known.folders[from] === this.#listed.folders[row] &&
      this.#known.names.at(from) === this.#listed.names.at(row);
  }

  #placeOf({ names, folders }: MessageIndex, row: number): string {
    return `${folders[row]}/${names.at(row)}`;
  }

  #pathOf(row: number): string {
    const { names, folders } = this.#listed;
    return `${this.#mailbox.folders.get(folders[row] as Folder)!.path}/${names.at(row)}`;
  }
}

function lookAt(path: string): FileLook | undefined {
  try {
    return lookAtName(path);
  } catch (error) {
    // Gone again, or not to be read: the scan will tell.
    if (isFileError(error)) return undefined;
    throw error;
  }
}
