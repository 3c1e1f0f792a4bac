/** Lists what a mailbox's folders hold, packed and in the order in which messages are numbered. */

import { Buffer } from "node:buffer";
import { sortInSlices } from "../../async/sort_in_slices.ts";
import type { YieldingTask } from "../../async/yielder.ts";
import { isNotFound } from "../../files/file_error.ts";
import { Folder } from "../folder/message_index.ts";
import { compareNames, deliveryTime, identityPart } from "../naming/maildir_name.ts";
import type { UnchangedFolders } from "./unchanged_folders.ts";
import { encodeInto, NamePacker, type NameTable } from "./name_table.ts";
import { answering } from "../file_deadline.ts";
import { type Mailbox, unreadable } from "../folder/mailbox.ts";
import { MaildropUnavailableError } from "../../contracts/mail_store.ts";

/** Why a file is left out whose name the runtime cannot tell. */
export const NOT_UTF8 = "its name is not valid UTF-8";

/** Octets of a folder up to which it is listed at once: some hundred names. The other way costs 30 µs before the first name. */
const SMALL = 16 * 1024;
/** Names that are taken between two looks at the clock. */
const NAMES_A_LOOK = 32;
/** Octets of names in one block of memory, in small mailboxes and in big ones. */
const SMALL_BLOCK = 4096;
const BLOCK = 256 * 1024;
/** Octets that a name may have: Linux takes 255, of which each may be none of UTF-8, and then reads as three. */
const MOST_OCTETS = 3 * 255;
/** Names with U+FFFD that are told apart, of one folder. */
const MOST_REPLACED = 10_000;

/** What is never served. */
export interface LeftOut {
  count: number;
  /** Names and reasons of the first ones. */
  readonly first: [name: string, reason: string][];
}

/** What a mailbox's folders hold, in order. */
export interface Listing {
  readonly names: NameTable;
  /** {@linkcode Folder} of each name. */
  readonly folders: Uint8Array;
  readonly leftOut: LeftOut;
  /** Whether there are names that are not UTF-8: the runtime tells others in their stead, which open nothing. */
  readonly isMisread: boolean;
}

/** Files that a warning names. */
const NAMED_FILES = 5;

/** Notes a file that is left out. */
export function leaveOut(leftOut: LeftOut, name: string, reason: string): void {
  leftOut.count++;
  if (leftOut.first.length < NAMED_FILES) leftOut.first.push([name, reason]);
}

/**
 * Lists what may be messages: no dot files, no `*.pwd` in a plain folder (some servers keep passwords so), nothing that is no regular file.
 *
 * @param task lets others run in between
 * @param empty folders that need no listing, and takes those that turn out to be empty
 * @throws {MaildropUnreadableError} when a folder may not be read
 * @throws {MaildropUnavailableError} when one cannot be read now, or is gone: what it held is not known then
 */
export async function listMailbox(
  mailbox: Mailbox,
  task: YieldingTask,
  empty?: UnchangedFolders,
): Promise<Listing> {
  const folders = [...mailbox.folders.values()];
  const found = new FoundNames(folders.every(({ size }) => size <= SMALL) ? SMALL_BLOCK : BLOCK);
  for (const [folder, state] of mailbox.folders) {
    if (empty?.has(state)) continue;
    const { path, size } = state;
    const replaced = new Set<string>();
    try {
      if (size <= SMALL) {
        let isEmpty = true;
        for (const entry of Deno.readDirSync(path)) {
          isEmpty = false;
          found.add(folder, entry, replaced);
        }
        // This listing keeps errors of reading to itself: of what opens and cannot be read (a dead file server) it tells no names.
        if (isEmpty) {
          await readToEnd(path);
          empty?.add(state, mailbox.foundAt);
        }
      } else {
        await answering(path, async (progressed) => {
          let count = 0;
          // The runtime reads ahead a little, on another thread: a million names need no more memory than a thousand.
          for await (const entry of Deno.readDir(path)) {
            found.add(folder, entry, replaced);
            progressed();
            if (++count % NAMES_A_LOOK === 0 && task.due()) await task.pause();
          }
        });
      }
      found.checkReplaced(path, replaced);
    } catch (error) {
      throw isNotFound(error)
        ? new MaildropUnavailableError(`${path} was moved away just now.`, { cause: error })
        : unreadable(path, error);
    }
  }
  return await found.sorted(task);
}

/** Reads a folder in the way that tells errors. */
async function readToEnd(path: string): Promise<void> {
  await answering(path, async () => {
    for await (const _entry of Deno.readDir(path));
  });
}

/** Names in the order in which the folders told them. */
class FoundNames {
  /** Each full but for the last, and no name in two of them: growing one would copy it, and take twice the room. */
  readonly #blocks: Buffer[] = [];
  readonly #block: number;
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  readonly #times: number[] = [];
  readonly #folders: Folder[] = [];
  readonly #leftOut: LeftOut = { count: 0, first: [] };
  #isMisread = false;
  /** Octets that the last block has left. */
  #room = 0;

  /** @param block octets of a block */
  constructor(block: number) {
    this.#block = block;
  }

  /** @param replaced the folder's names so far in which the runtime may have put U+FFFD for octets that are not UTF-8 */
  add(folder: Folder, entry: Deno.DirEntry, replaced: Set<string>): void {
    const { name, isFile, isDirectory } = entry;
    if (name.startsWith(".") || (folder === Folder.PLAIN && isNoMail(name, isDirectory))) return;
    if (!isFile) return leaveOut(this.#leftOut, name, "it is no regular file");
    if (name.includes("\ufffd")) {
      // Different octets read the same; at most one of them is what the name opens, and it must not be served twice.
      if (replaced.has(name) || replaced.size >= MOST_REPLACED) {
        this.#isMisread = true;
        return leaveOut(this.#leftOut, name, NOT_UTF8);
      }
      replaced.add(name);
    }
    this.#pack(name);
    this.#times.push(deliveryTime(identityPart(name)));
    this.#folders.push(folder);
  }

  /** Finds out whether names with U+FFFD are those of files, which few are. */
  checkReplaced(path: string, replaced: ReadonlySet<string>): void {
    this.#isMisread ||= replaced.values().some((name) => !isThere(`${path}/${name}`));
  }

  /** Puts the names in order. */
  async sorted(task: YieldingTask): Promise<Listing> {
    const { length } = this.#starts;
    const times = this.#times;
    const order = await sortInSlices(
      Uint32Array.from({ length }, (_, index) => index),
      (a, b) =>
        times[a]! - times[b]! || compareNames(this.#at(a), this.#at(b)) ||
        this.#folders[a]! - this.#folders[b]!,
      task,
    );
    const packer = new NamePacker(length, this.#octets);
    const folders = new Uint8Array(length);
    for (let row = 0; row < length; row++) {
      packer.add(this.#at(order[row]!));
      folders[row] = this.#folders[order[row]!]!;
      if (row % NAMES_A_LOOK === 0 && task.due()) await task.pause();
    }
    return { names: packer.table(), folders, leftOut: this.#leftOut, isMisread: this.#isMisread };
  }

  /** Octets that all names take at most, joined. */
  get #octets(): number {
    return this.#blocks.length * this.#block - this.#room + this.#starts.length;
  }

  #pack(name: string): void {
    if (this.#room < MOST_OCTETS) {
      this.#blocks.push(Buffer.alloc(this.#block));
      this.#room = this.#block;
    }
    const start = this.#block - this.#room;
    const length = encodeInto(name, this.#blocks.at(-1)!, start);
    this.#starts.push((this.#blocks.length - 1) * this.#block + start);
    this.#lengths.push(length);
    this.#room -= length;
  }

  #at(index: number): string {
    const at = this.#starts[index]!;
    const start = at % this.#block;
    const block = this.#blocks[Math.floor(at / this.#block)]!;
    return block.toString("utf8", start, start + this.#lengths[index]!);
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** What a plain folder holds beside mail. */
function isNoMail(name: string, isDirectory: boolean): boolean {
  return isDirectory || name.toLowerCase().endsWith(".pwd");
}
