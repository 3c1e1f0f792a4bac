/** Finds files of a snapshot again that another program renamed since: flags changed, or `new/` left for `cur/`. */

import type { Folder, MessageIndex } from "./message_index.ts";
import { isNotFound } from "../../files/file_error.ts";
import { type FolderStamp, isSettled, lookAgain, looksUnchanged, stampOf } from "./folder_stamp.ts";
import { lookAtName } from "./file_look.ts";
import { isStill, listMailbox, type Mailbox } from "./mailbox.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { uniquePart } from "../naming/maildir_name.ts";

/** Longest time for which an unchanged folder's listing is relied on, in milliseconds: a name can come within one tick of its clock. */
const RELIED_ON = 1000;

/** Milliseconds after which a change shows in a folder's time: two ticks of a file system's clock, which are 10 ms at most. */
export const TICKS = 20;

/** Knows where a message index's files lie now. */
export class Locator {
  readonly #mailbox: Mailbox;
  readonly #messageIndex: MessageIndex;
  #places = new Map<string, { name: string; folder: Folder }[]>();
  #listedAt = -Infinity;
  #stamps: readonly (FolderStamp | undefined)[] = [];
  #wasSettled = false;
  #isWhole = false;

  constructor(mailbox: Mailbox, messageIndex: MessageIndex) {
    this.#mailbox = mailbox;
    this.#messageIndex = messageIndex;
  }

  /** Where a row's file lies by its present name. */
  path(row: number): string {
    return this.#pathOf(this.#messageIndex.folders[row] as Folder, this.#messageIndex.names[row]!);
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
  find(row: number): boolean {
    if (this.#mailbox.layout === "plain") return false;
    return this.findListed(row) || (this.list() && this.findListed(row));
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
    const places = this.#places.get(uniquePart(names[row]!)) ?? [];
    const place = places.find(({ name, folder }) =>
      (name !== names[row] || folder !== folders[row]) &&
      this.#isFileOf(row, folder, name, places.length > 1)
    );
    if (place !== undefined) this.rename(row, place.folder, place.name);
    return place !== undefined;
  }

  /** Lists the mailbox unless it is as it was listed; tells whether it did. */
  list(): boolean {
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
    this.#places = new Map();
    const { names, folders } = listMailbox(this.#mailbox);
    this.#isWhole = (wasStill || this.#wasSettled) && isSameLook(this.#look(), stamps);
    names.forEach((name, index) => {
      const unique = uniquePart(name);
      const place = { name, folder: folders[index]! };
      const others = this.#places.get(unique);
      if (others === undefined) this.#places.set(unique, [place]);
      else others.push(place);
    });
    return true;
  }

  /** Keeps a name that this session gave. */
  rename(row: number, folder: Folder, name: string): void {
    this.#messageIndex.folders[row] = folder;
    this.#messageIndex.names[row] = name;
  }

  /**
   * Whether a listed file is a row's. A twin of the message lies under its own name, or has another size or another time, and in its stead
   * another message may have come.
   */
  #isFileOf(row: number, folder: Folder, name: string, hasTwin: boolean): boolean {
    const others = this.#rowsLike(row);
    const { names, folders } = this.#messageIndex;
    if (others.some((other) => names[other] === name && folders[other] === folder)) return false;
    const isAlone = !hasTwin && others.length === 0;
    try {
      const likeness = this.#messageIndex.compare(row, lookAtName(this.#pathOf(folder, name)));
      return likeness === "same" || (likeness === "changed" && isAlone);
    } catch (error) {
      // Renamed again: whoever opens it lists once more.
      if (isNotFound(error)) return isAlone;
      throw error;
    }
  }

  /** Other rows of the same unique part: they stand beside it. */
  #rowsLike(row: number): number[] {
    const { names } = this.#messageIndex;
    const unique = uniquePart(names[row]!);
    const others: number[] = [];
    for (const step of [-1, 1]) {
      for (let other = row + step; names[other] !== undefined; other += step) {
        if (uniquePart(names[other]!) !== unique) break;
        others.push(other);
      }
    }
    return others;
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
