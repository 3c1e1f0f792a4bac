/** A mailbox that others than the server can write in, as the server works on it: by requests to a program that holds its folders open. */

import { type HeldFolders, HelperError } from "../../contracts/held_folders.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import type { FileLook } from "../folder/file_look.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import type { Folder, MessageIndex } from "../folder/message_index.ts";

/*
 * A request is fields, each ended by a NUL:
 *   command, path below the mail folder, device and inode of the mailbox, number of folders,
 *   for each folder: name ("" for the mailbox itself), device, inode;
 *   then for each file of "unlink": place of its folder, name, inode (0: any), size, time in milliseconds (0: any);
 *   of "rename" the same, and: place of the folder to come, name to come.
 * The answer begins with "held", or "refused" and why; then comes a line for each file, then "synced", a folder's place and an error's number.
 * For "list" comes, in the machine's own order, a pair of 64-bit floats for each regular file: inode, time in milliseconds.
 */

/** Files in one request: some 20 ms of work, and at most 2.5 MB. */
const MOST_FILES = 4096;

/** Requests of one thread that may be under way at once, and most octets of each. */
export const MOST_REQUESTS = 8;
/** See {@linkcode MOST_REQUESTS}. */
export const MOST_REQUEST_OCTETS = 4 * 1024 * 1024;

/** A file by its name, and how it must look for anything to be done to it. */
export interface HeldFile {
  readonly folder: Folder;
  readonly name: string;
  /** Inode and time 0 stand for any. */
  readonly look: Pick<FileLook, "inode" | "size" | "modified">;
}

/** A file's new place. */
export interface HeldMove extends HeldFile {
  readonly to: { readonly folder: Folder; readonly name: string };
}

/** What became of a file. */
export type HeldAnswer =
  | { readonly kind: "done" }
  /** There is no such name. */
  | { readonly kind: "gone" }
  /** The new name is another file's already. */
  | { readonly kind: "taken" }
  /** Nothing was done: what has the name looks so. */
  | { readonly kind: "other"; readonly look: FileLook }
  | { readonly kind: "error"; readonly error: Error };

/** What became of files that were to be removed. */
export interface HeldRemoval {
  readonly answers: readonly HeldAnswer[];
  /** Folders in which files were removed, and that could not be synced. */
  readonly unsynced: ReadonlyMap<Folder, Error>;
}

/** An error of the system, by its number. */
class SystemError extends Error {
  override name = "SystemError";
  readonly errno: number;

  constructor(errno: number) {
    super(`System error ${errno}`);
    this.errno = errno;
  }
}

/** Cuts a list into parts that fit into one request each. */
export function* partsOf<T>(
  list: readonly T[],
  most: number = MOST_FILES,
): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += most) yield list.slice(at, at + most);
}

/**
 * The file of a row.
 *
 * @param look how it must look for anything to be done to it; as the row tells when it is left out
 */
export function fileOfRow(index: MessageIndex, row: number, look?: FileLook): HeldFile {
  const isMeasured = index.isMeasured(row);
  return {
    folder: index.folders[row] as Folder,
    name: index.names.at(row),
    look: look ?? {
      inode: index.inode(row),
      // Nobody knows how one that was not measured looks, so that it is looked at first: no file was written before 1970.
      size: isMeasured ? index.storedSize[row]! : 0,
      modified: isMeasured ? index.modified[row]! : -1,
    },
  };
}

/** A mailbox's folders as they were found, whatever their names stand for by now. */
export class HeldMailbox {
  readonly #mailbox: Mailbox;
  readonly #held: HeldFolders;
  /** In the order of requests. */
  readonly #folders: readonly Folder[];

  constructor(mailbox: Mailbox, held: HeldFolders) {
    this.#mailbox = mailbox;
    this.#held = held;
    this.#folders = [...mailbox.folders.keys()];
  }

  /** What works in held folders. */
  get folders(): HeldFolders {
    return this.#held;
  }

  /**
   * Lists the regular files that surely lie in the mailbox.
   *
   * @returns the time of each by its inode, milliseconds since 1970
   * @throws {MaildropUnreadableError} when its folders were moved away
   * @throws {HelperError} or an error of the file system, when they cannot be held
   */
  async list(): Promise<Map<number, number>> {
    const octets = await this.#ask("list", []);
    const numbers = new Float64Array(octets.slice(0, octets.length - octets.length % 16).buffer);
    const found = new Map<number, number>();
    for (let at = 0; at < numbers.length; at += 2) found.set(numbers[at]!, numbers[at + 1]!);
    return found;
  }

  /**
   * Removes files of one part, each if it looks as it is told to, and syncs their folders.
   *
   * @throws as {@linkcode HeldMailbox.list}; what was removed by then is not known
   */
  async unlink(files: readonly HeldFile[]): Promise<HeldRemoval> {
    const { lines, synced } = await this.#change(
      "unlink",
      files.map((file) => this.#fieldsOf(file)),
    );
    const unsynced = new Map<Folder, Error>();
    for (const [place, error] of synced) {
      if (error !== 0) unsynced.set(this.#folders[place]!, new SystemError(error));
    }
    return { answers: lines, unsynced };
  }

  /** Renames files of one part, each if it looks as it is told to; no other file is replaced. @throws as {@linkcode HeldMailbox.unlink} */
  async rename(moves: readonly HeldMove[]): Promise<readonly HeldAnswer[]> {
    const fields = moves.map((move) => [
      ...this.#fieldsOf(move),
      this.#place(move.to.folder),
      move.to.name,
    ]);
    return (await this.#change("rename", fields)).lines;
  }

  /** Makes the folders that a Maildir lacks, with the owner, group and mode of one that it has. @throws {Error} when it cannot */
  async complete(): Promise<void> {
    const { lines } = readLines(await this.#ask("make", []));
    for (const line of lines) if (line.kind === "error") throw line.error;
  }

  /**
   * Gives files whose names are not UTF-8, and so cannot be told to the runtime, names that are; no other file is replaced.
   *
   * @returns how many got one
   * @throws as {@linkcode HeldMailbox.unlink}
   */
  async respell(): Promise<number> {
    const { lines } = readLines(await this.#ask("respell", []));
    return lines.filter(({ kind }) => kind === "done").length;
  }

  /** Asks for a change of files: not more of them than are in one of {@linkcode partsOf}. */
  async #change(command: string, files: readonly Fields[]): Promise<Lines> {
    const answer = readLines(await this.#ask(command, files.flat()));
    if (answer.lines.length !== files.length) {
      throw new HelperError("The helper did not answer in full");
    }
    return answer;
  }

  async #ask(command: string, fields: Fields): Promise<Uint8Array<ArrayBuffer>> {
    const { folders, place, root, self } = this.#mailbox;
    const request: (string | number)[] = [
      command,
      place,
      self.stamp.device,
      self.stamp.inode,
      folders.size,
    ];
    for (const { path, stamp } of folders.values()) {
      const name = path === self.path ? "" : path.slice(self.path.length + 1);
      request.push(name, stamp.device, stamp.inode);
    }
    // No field can hold a NUL: names cannot.
    const octets = new TextEncoder().encode(`${[...request, ...fields].join("\0")}\0`);
    return this.#held.run(octets, root).then((answer) => this.#checked(answer));
  }

  /** What follows the answer's first line. */
  #checked(answer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const end = answer.indexOf(NEWLINE);
    const line = new TextDecoder().decode(answer.subarray(0, end));
    if (line === "held") return answer.subarray(end + 1);
    const [, why, number] = /^refused (\w+) (\d+)$/.exec(line) ?? [];
    if (why === "moved" || (why === "open" && MOVED.has(Number(number)))) {
      throw new MaildropUnreadableError(
        `${this.#mailbox.path} is no longer the folder that was opened. Its messages can be had in a new session.`,
      );
    }
    if (why === "open") throw new SystemError(Number(number));
    throw new HelperError(`The helper refused a request (${why ?? "without a reason"})`);
  }

  #fieldsOf({ folder, name, look: { inode, size, modified } }: HeldFile): Fields {
    return [this.#place(folder), name, inode, size, modified];
  }

  #place(folder: Folder): number {
    return this.#folders.indexOf(folder);
  }
}

type Fields = readonly (string | number)[];

/** An answer's lines: one for each file, then a pair for each folder that was to be synced: its place, and an error's number or 0. */
interface Lines {
  readonly lines: readonly HeldAnswer[];
  readonly synced: readonly (readonly [number, number])[];
}

const NEWLINE = 10;
/** Numbers of errors that say that a folder's name stands for something else by now: none, no folder, a link. */
const MOVED: ReadonlySet<number> = new Set([2, 20, 40]);

function readLines(octets: Uint8Array): Lines {
  const lines: HeldAnswer[] = [];
  const synced: [number, number][] = [];
  for (const line of new TextDecoder().decode(octets).split("\n").slice(0, -1)) {
    const [word, ...figures] = line.split(" ");
    const numbers = figures.map(Number);
    if (word === "synced") synced.push([numbers[0]!, numbers[1]!]);
    else lines.push(answerOf(word!, numbers));
  }
  return { lines, synced };
}

function answerOf(word: string, numbers: readonly number[]): HeldAnswer {
  switch (word) {
    case "done":
    case "gone":
    case "taken":
      return { kind: word };
    case "error":
      return { kind: "error", error: new SystemError(numbers[0]!) };
    case "other": {
      const [isFile, device, inode, owner, size, modified, changed, born] = numbers as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const look = { isFile: isFile === 1, device, inode, owner, size, modified, changed, born };
      return { kind: "other", look };
    }
    default:
      throw new HelperError("The helper gave an answer that is none");
  }
}
