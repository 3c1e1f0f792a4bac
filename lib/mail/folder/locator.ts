/** Finds files of a snapshot again that another program renamed since: flags changed, or `new/` left for `cur/`. */

import type { YieldingTask } from "../../async/yielder.ts";
import type { Folder, MessageIndex } from "./message_index.ts";
import { isNotFound } from "../../files/file_error.ts";
import { type FolderStamp, isSettled, lookAgain, looksUnchanged, stampOf } from "./folder_stamp.ts";
import { lookAtName } from "./file_look.ts";
import { type Listing, listMailbox } from "../listing/listing.ts";
import { isStill, type Mailbox } from "./mailbox.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { compareIdentities, identityPart, idPart } from "../naming/maildir_name.ts";
import { NameTable } from "../listing/name_table.ts";

/** Longest time for which an unchanged folder's listing is relied on, in milliseconds: a name can come within one tick of its clock. */
const RELIED_ON = 1000;

/** Milliseconds after which a change shows in a folder's time: two ticks of a file system's clock, which are 10 ms at most. */
export const TICKS = 20;

/** Files of one identity that are compared with a row; great numbers are no accident. */
const MOST_TWINS = 64;

const NOTHING_LISTED: Pick<Listing, "names" | "folders"> = {
  names: NameTable.of([]),
  folders: new Uint8Array(),
};

/** Knows where a message index's files lie now. */
export class Locator {
  readonly #mailbox: Mailbox;
  readonly #messageIndex: MessageIndex;
  readonly #task: YieldingTask;
  #listing: Listing | undefined;
  #listedAt = -Infinity;
  #stamps: readonly (FolderStamp | undefined)[] = [];
  #wasSettled = false;
  #isWhole = false;

  /** @param task lets others run while a big mailbox is listed */
  constructor(mailbox: Mailbox, messageIndex: MessageIndex, task: YieldingTask) {
    this.#mailbox = mailbox;
    this.#messageIndex = messageIndex;
    this.#task = task;
  }

  /** Where a row's file lies by its present name. */
  path(row: number): string {
    const { names, folders } = this.#messageIndex;
    return this.#pathOf(folders[row] as Folder, names.at(row));
  }

  /**
   * Whether a folder is the one that the snapshot was taken of. A link put in its place would lead to others' mail.
   *
   * @throws {MaildropUnreadableError} when it is not
   */
  checkFolder(folder: Folder): void {
    const state = this.#mailbox.folders.get(folder)!;
    if (isStill(state)) return;
    throw new MaildropUnreadableError(
      `${state.path} is no longer the folder that was opened. Its messages can be had in a new session.`,
    );
  }

  /**
   * Looks for a row's file under another name, and keeps the name in the message index. The name may be old news: when there is no such file either,
   * ask again.
   *
   * @returns whether there is another name; in a plain folder there never is, since nothing but its name tells a message
   */
  async find(row: number): Promise<boolean> {
    if (this.#mailbox.layout === "plain") return false;
    return this.findListed(row) || (await this.list() && this.findListed(row));
  }

  /**
   * Whether surely no folder changed while the latest listing was made. One that changes is listed without some of the files that are renamed
   * in it (POSIX leaves it open), so that what is not listed need not be gone. Of a folder that changed just before, only another listing
   * {@linkcode TICKS} later can tell. A plain folder need not be listed.
   */
  get isWhole(): boolean {
    return this.#isWhole || this.#mailbox.layout === "plain";
  }

  /** The same, but by the latest listing alone. */
  findListed(row: number): boolean {
    const { names, folders } = this.#messageIndex;
    const name = names.at(row);
    const places = this.#listedLike(name);
    const place = places.find((place) =>
      (place.name !== name || place.folder !== folders[row]) &&
      this.#isFileOf(row, place.folder, place.name, places.length > 1)
    );
    if (place !== undefined) this.rename(row, place.folder, place.name);
    return place !== undefined;
  }

  /** Lists the mailbox unless it is as it was listed; tells whether it did. */
  async list(): Promise<boolean> {
    if (this.#mailbox.layout === "plain") return false;
    const stamps = this.#look();
    const isYoung = performance.now() - this.#listedAt < RELIED_ON;
    if (isYoung && this.#wasSettled && isSameLook(stamps, this.#stamps)) return false;
    const wasStill = performance.now() - this.#listedAt >= TICKS &&
      isSameLook(stamps, this.#stamps);
    this.#stamps = stamps;
    const now = Date.now();
    this.#wasSettled = stamps.every((stamp) => stamp === undefined || isSettled(stamp, now));
    this.#listedAt = performance.now();
    this.#listing = undefined;
    this.#isWhole = false;
    this.#listing = await listMailbox(this.#mailbox, this.#task);
    this.#isWhole = (wasStill || this.#wasSettled) && isSameLook(this.#look(), stamps);
    return true;
  }

  /** Keeps a name that this session gave, or found. */
  rename(row: number, folder: Folder, name: string): void {
    this.#messageIndex.rename(row, folder, name);
  }

  /**
   * Whether a listed file is a row's. A twin of the message lies under its own name, or has another size or another time, and in its stead
   * another message may have come.
   */
  #isFileOf(row: number, folder: Folder, name: string, hasTwin: boolean): boolean {
    const others = this.#rowsLike(row);
    const { names, folders } = this.#messageIndex;
    if (others.some((other) => names.at(other) === name && folders[other] === folder)) return false;
    // Where the sizes in the names differ, the file must show that it is the same one.
    const isAlone = !hasTwin && others.length === 0 && idPart(name) === idPart(names.at(row));
    try {
      const likeness = this.#messageIndex.compare(row, lookAtName(this.#pathOf(folder, name)));
      return likeness === "same" || (likeness === "changed" && isAlone);
    } catch (error) {
      // Renamed again: whoever opens it lists once more.
      if (isNotFound(error)) return isAlone;
      throw error;
    }
  }

  /** Other rows of the same identity: they stand beside it. */
  #rowsLike(row: number): number[] {
    const { names } = this.#messageIndex;
    const identity = identityPart(names.at(row));
    const others: number[] = [];
    for (const step of [-1, 1]) {
      for (let other = row + step; other >= 0 && other < names.length; other += step) {
        if (identityPart(names.at(other)) !== identity || others.length === MOST_TWINS) break;
        others.push(other);
      }
    }
    return others;
  }

  /** Listed files of a name's identity. */
  #listedLike(name: string): { name: string; folder: Folder }[] {
    const { names, folders } = this.#listing ?? NOTHING_LISTED;
    let [row, end] = [0, names.length];
    while (row < end) {
      const middle = (row + end) >> 1;
      if (compareIdentities(names.at(middle), name) < 0) row = middle + 1;
      else end = middle;
    }
    const found = [];
    for (; row < names.length && found.length < MOST_TWINS; row++) {
      const listed = names.at(row);
      if (compareIdentities(listed, name) !== 0) break;
      found.push({ name: listed, folder: folders[row] as Folder });
    }
    return found;
  }

  /** How the folders look; undefined for one that is gone. */
  #look(): (FolderStamp | undefined)[] {
    return [...this.#mailbox.folders.values()].map(({ path }) => {
      try {
        const info = Deno.lstatSync(path);
        return stampOf(info.isDirectory ? lookAgain(path, info) : info);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    });
  }

  #pathOf(folder: Folder, name: string): string {
    return `${this.#mailbox.folders.get(folder)!.path}/${name}`;
  }
}

function isSameLook(
  a: readonly (FolderStamp | undefined)[],
  b: readonly (FolderStamp | undefined)[],
): boolean {
  return a.length === b.length && a.every((stamp, index) => {
    const other = b[index];
    return other === undefined ? stamp === undefined : looksUnchanged(stamp, other);
  });
}
