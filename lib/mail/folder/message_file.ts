/** Opens a message's file in another thread than the one that judged it: by its name, and only if it is the same. */

import { MessageChangedError, type MessageFile } from "../../contracts/mail_store.ts";
import { MessageMovedError } from "../../contracts/programs.ts";
import { isNotFound } from "../../files/file_error.ts";
import { NotRegularError, type OpenFile, openFile } from "./regular_file.ts";

/** A message's file, open at its beginning. Disposing closes it. */
export interface OpenMessageFile extends Disposable {
  /** The number that the system knows it by: a program's standard input. */
  readonly number: number;
  /** Octets that it has while it is whole. */
  readonly size: number;
  /**
   * Makes sure that who has read the file to its end has read the whole message, no less and no more.
   *
   * @throws {MessageChangedError} when it is longer or shorter than it was
   */
  checkWhole(): void;
}

/**
 * Opens a message's file. While the one who judged it has it open, no other file has its number.
 *
 * @throws {MessageMovedError} when its name no longer stands for it
 * @throws {Error} when it cannot be opened
 */
export function openMessageFile(file: MessageFile): OpenMessageFile {
  const opened = openNamed(file.path);
  try {
    const { device, inode, isFile } = opened.look();
    if (!isFile || device !== file.device || inode !== file.inode) {
      throw new MessageMovedError("its name stands for another file by now");
    }
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
  return {
    number: opened.number,
    size: file.size,
    checkWhole: () => checkSize(opened, file.size),
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}

function openNamed(path: string): OpenFile {
  try {
    return openFile(path);
  } catch (cause) {
    if (!isNotFound(cause) && !(cause instanceof NotRegularError)) throw cause;
    throw new MessageMovedError("its name stands for no file any more", { cause });
  }
}

function checkSize(opened: OpenFile, measured: number): void {
  const { size } = opened.look();
  if (size === measured) return;
  throw new MessageChangedError(
    `The message's file has ${size} octets and no longer its ${measured}: another program changed it while it was read.`,
  );
}
