/** Moves files of a mailbox between two of its folders, for good: by name, or in held folders where others can exchange what a name stands for. */

import type { HeldFolders } from "../../contracts/held_folders.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { fileErrorNumber, isNotFound } from "../../files/file_error.ts";
import { answering } from "../file_deadline.ts";
import { type FileLook, lookAtName } from "../folder/file_look.ts";
import { type FolderState, isFolder, type Mailbox } from "../folder/mailbox.ts";
import { Folder } from "../folder/message_index.ts";
import { HeldMailbox, partsOf } from "../held/held_mailbox.ts";

const EINVAL = 22;

/** A file that is to be moved. */
export interface FileMove {
  readonly name: string;
  /** Its name in the other folder. */
  readonly to: string;
  /** How it must look. */
  readonly look: FileLook;
  /** Whether the other folder surely has no such name: it was made up just now. @default {false} */
  readonly isNew?: boolean;
}

/** What became of a file: moved, not there, or why it stays. */
export type MoveOutcome = "moved" | "missing" | Error;

/**
 * Moves files. No other file is replaced.
 *
 * @returns what became of each
 */
export async function moveFiles(
  mailbox: Mailbox,
  held: HeldFolders,
  from: FolderState,
  to: FolderState,
  moves: readonly FileMove[],
): Promise<readonly MoveOutcome[]> {
  if (mailbox.writers === "server") return moves.map((move) => moveByName(from, to, move));
  // A request names folders by their places: the first is the one that files leave.
  const folders = new Map([[Folder.NEW, from], [Folder.CUR, to]] as const);
  const helper = new HeldMailbox({ ...mailbox, folders }, held);
  const outcomes: MoveOutcome[] = [];
  for (const part of partsOf(moves)) {
    const answers = await helper.rename(
      part.map(({ name, to, look }) => ({
        ...{ folder: Folder.NEW, name, look },
        to: { folder: Folder.CUR, name: to },
      })),
    );
    for (const answer of answers) {
      if (answer.kind === "done") outcomes.push("moved");
      else if (answer.kind === "gone") outcomes.push("missing");
      else if (answer.kind === "error") outcomes.push(answer.error);
      else outcomes.push(new Error(answer.kind === "taken" ? TAKEN : "another program changed it"));
    }
  }
  return outcomes;
}

const TAKEN = "another file has its name";

function moveByName(
  from: FolderState,
  to: FolderState,
  { name, to: as, isNew = false }: FileMove,
): MoveOutcome {
  const target = `${to.path}/${as}`;
  try {
    if (!isNew && isThere(target)) return new Error(TAKEN);
    Deno.renameSync(`${from.path}/${name}`, target);
    return "moved";
  } catch (error) {
    if (isNotFound(error)) return "missing";
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isThere(path: string): boolean {
  try {
    lookAtName(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Makes what was moved into or out of a folder outlast a power cut. @throws {Error} when it may not */
export async function syncState(state: FolderState): Promise<void> {
  await answering(state.path, async () => {
    using open = await Deno.open(state.path, { read: true });
    if (!isFolder(state, await open.stat())) {
      throw new MaildropUnreadableError("it was moved away meanwhile");
    }
    try {
      await open.sync();
    } catch (error) {
      if (fileErrorNumber(error) !== EINVAL) throw error;
    }
  });
}
