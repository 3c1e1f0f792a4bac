/** What is known of a mailbox's files: one row a file, in the order in which messages are numbered. */

import type { YieldingTask } from "../../async/yielder.ts";
import { idPart } from "../naming/maildir_name.ts";
import type { FileLook } from "./file_look.ts";
import type { NameTable } from "../listing/name_table.ts";

/** The folders of a mailbox that hold messages. */
export const Folder = { NEW: 0, CUR: 1, PLAIN: 2 } as const;
/** One of {@linkcode Folder}. */
export type Folder = typeof Folder[keyof typeof Folder];

/** What a look at a file says of a row. */
export type Likeness =
  /** It is the file that the row tells of, with the content that it had. */
  | "same"
  /** It is the same file, or may be, but its content is another. */
  | "changed"
  /** It is another file. */
  | "other";

/** Bits of a row's marks. */
export const Mark = {
  /** The stored octets are already what RETR sends. */
  VERBATIM: 1,
  /** Shares, or shared, its unique part with another file, and so has a hashed unique-id for good. */
  TWIN: 2,
  /** Was given its unique part as unique-id, and so keeps it when a twin appears. */
  NAMED: 4,
  /** In a plain folder: the file was looked into, and is mail. */
  MAIL: 8,
  /** In a Maildir: stored compressed. */
  PACKED: 16,
} as const;

/** Rows that are copied between two looks at the clock. */
const ROWS_A_LOOK = 1024;

/** What is known of files beyond their names and folders. */
type Columns = Pick<
  MessageIndex,
  "marks" | "size" | "storedSize" | "modified" | "firstRetrieved"
>;

/** Columns of so many files of which nothing is known. One buffer under all of them: thousands of idle sessions each hold some. */
function unknownColumns(length: number): Columns {
  if (length === 0) return NO_COLUMNS;
  const octets = length * Float64Array.BYTES_PER_ELEMENT;
  const memory = new ArrayBuffer(4 * octets + length);
  return {
    size: new Float64Array(memory, 0, length),
    storedSize: new Float64Array(memory, octets, length).fill(NaN),
    modified: new Float64Array(memory, 2 * octets, length),
    firstRetrieved: new Float64Array(memory, 3 * octets, length),
    marks: new Uint8Array(memory, 4 * octets, length),
  };
}

/** Columns without rows cannot be written to, so all empty mailboxes share them. */
const NO_COLUMNS: Columns = {
  size: new Float64Array(),
  storedSize: new Float64Array(),
  modified: new Float64Array(),
  firstRetrieved: new Float64Array(),
  marks: new Uint8Array(),
};

const NO_ID_PARTS: ReadonlyMap<number, string> = new Map();

/**
 * Rows in columns: a hundred thousand small objects would cost more than the names themselves. What is not known of a file is `NaN`
 * in `storedSize`.
 */
export class MessageIndex {
  /** File names, without folder. */
  readonly names: NameTable;
  /** {@linkcode Folder} of each. */
  readonly folders: Uint8Array;
  /** {@linkcode Mark}s of each. */
  readonly marks: Uint8Array;
  /** Octets that RETR sends, dot-stuffing undone. */
  readonly size: Float64Array;
  /** Octets as stored; `NaN` where the file was not measured. */
  readonly storedSize: Float64Array;
  /** The file's time when it was measured, milliseconds since 1970; 0 where it was not asked for. */
  readonly modified: Float64Array;
  /** When the message was first retrieved, by the server's running time; 0 for never. */
  readonly firstRetrieved: Float64Array;
  /** What ids are made from, of rows whose present names would make others: an id stays when another program changes the name. */
  #idParts: Map<number, string> | undefined;
  /** Of rows whose files were looked at since the mailbox was opened: inode and time of birth; zeros for others. Not kept in the cache. */
  #identities: Float64Array | undefined;

  /**
   * Makes rows of which only names and folders are known, or takes columns that are there.
   *
   * @throws {RangeError} when the columns differ in length
   */
  constructor(names: NameTable, folders: Uint8Array, columns?: Columns) {
    const length = names.length;
    const { marks, size, storedSize, modified, firstRetrieved } = columns ?? unknownColumns(length);
    this.names = names;
    this.folders = folders;
    this.marks = marks;
    this.size = size;
    this.storedSize = storedSize;
    this.modified = modified;
    this.firstRetrieved = firstRetrieved;
    const lengths = [folders, this.marks, this.size, this.storedSize, this.modified];
    if ([...lengths, this.firstRetrieved].some((column) => column.length !== length)) {
      throw new RangeError(`A messageIndex's columns must all have ${length} rows.`);
    }
  }

  /** Rows. */
  get length(): number {
    return this.names.length;
  }

  /** What a row's unique-id is made from. */
  idPart(row: number): string {
    return this.#idParts?.get(row) ?? idPart(this.names.at(row));
  }

  /** Rows whose ids are not made from their present names, and what they are made from. */
  get idParts(): ReadonlyMap<number, string> {
    return this.#idParts ?? NO_ID_PARTS;
  }

  /** Says what a row's unique-id is made from. */
  keepIdPart(row: number, part: string): void {
    if (idPart(this.names.at(row)) !== part) (this.#idParts ??= new Map()).set(row, part);
    else this.#idParts?.delete(row);
  }

  /** Gives a row's file another name, and leaves the message its id. */
  rename(row: number, folder: Folder, name: string): void {
    const part = this.idPart(row);
    this.folders[row] = folder;
    this.names.rename(row, name);
    this.keepIdPart(row, part);
  }

  /** Whether the file was read and measured. */
  isMeasured(row: number): boolean {
    return !Number.isNaN(this.storedSize[row]);
  }

  /** Whether a file has the size, and as far as it is known the time, that a row tells. */
  looksLike(row: number, { size, modified }: Pick<FileLook, "size" | "modified">): boolean {
    const known = this.modified[row];
    return size === this.storedSize[row] && (known === 0 || known === modified);
  }

  /** Keeps which file a row tells of: until then only its size and time tell it from another that takes its name. */
  identify(row: number, { inode, born }: Pick<FileLook, "inode" | "born">): void {
    this.#identities ??= new Float64Array(2 * this.length);
    this.#identities[2 * row] = inode;
    this.#identities[2 * row + 1] = born;
  }

  /** Whether all rows are measured. */
  isMeasuredWhole(): boolean {
    return !this.storedSize.some(Number.isNaN);
  }

  /** Forgets which files rows tell of: until the next look only size and time tell. */
  forgetIdentities(): void {
    this.#identities = undefined;
  }

  /** The inode of a row's file; 0 where it was not looked at since the mailbox was opened. */
  inode(row: number): number {
    return this.#identities?.[2 * row] ?? 0;
  }

  /**
   * Holds a file that bears a row's name against the row.
   *
   * File systems give an inode's number to a new file soon after the old one is gone, so the time of birth, the size and the time count as well.
   */
  compare(row: number, look: FileLook): Likeness {
    const inode = this.inode(row);
    if (inode !== 0 && inode !== look.inode) return "other";
    const born = this.#identities?.[2 * row + 1] ?? 0;
    if (born !== 0 && look.born !== 0 && born !== look.born) return "other";
    return this.looksLike(row, look) ? "same" : "changed";
  }

  /** Takes over all that another messageIndex's row keeps, name and folder excepted. */
  learn(row: number, from: MessageIndex, other: number): void {
    this.marks[row] = from.marks[other]!;
    this.size[row] = from.size[other]!;
    this.storedSize[row] = from.storedSize[other]!;
    this.modified[row] = from.modified[other]!;
    this.firstRetrieved[row] = from.firstRetrieved[other]!;
    const part = from.idParts.get(other);
    if (part !== undefined) this.keepIdPart(row, part);
  }

  /** The same without some rows. */
  async without(rows: ReadonlySet<number>, task: YieldingTask): Promise<MessageIndex> {
    const kept = new Uint32Array(this.length - rows.size);
    for (let row = 0, index = 0; row < this.length; row++) {
      if (!rows.has(row)) kept[index++] = row;
      if (row % ROWS_A_LOOK === 0 && task.due()) await task.pause();
    }
    return await this.select(kept, task);
  }

  /** Some of the rows, in the given order. */
  async select(rows: Uint32Array, task: YieldingTask): Promise<MessageIndex> {
    const result = new MessageIndex(await this.names.only(rows, task), new Uint8Array(rows.length));
    for (let index = 0; index < rows.length; index++) {
      result.folders[index] = this.folders[rows[index]!]!;
      result.learn(index, this, rows[index]!);
      if (index % ROWS_A_LOOK === 0 && task.due()) await task.pause();
    }
    return result;
  }

  /** The same as it is now, whatever becomes of this one; names excepted. */
  columns(): Columns & Pick<MessageIndex, "folders"> {
    return {
      folders: this.folders.slice(),
      marks: this.marks.slice(),
      size: this.size.slice(),
      storedSize: this.storedSize.slice(),
      modified: this.modified.slice(),
      firstRetrieved: this.firstRetrieved.slice(),
    };
  }
}
