/** What administrators see and do of deleted messages: lists them, puts them back, removes them for good. */

import type { HeldFolders } from "../../contracts/held_folders.ts";
import type { DeletedMessage, TrashSelection } from "../../contracts/trash.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import { isNotFound } from "../../files/file_error.ts";
import { changeUse } from "../delivery/maildir_size.ts";
import { FolderProbe } from "../folder_probe.ts";
import { type FileLook, lookAtName } from "../folder/file_look.ts";
import type { FolderState, Mailbox } from "../folder/mailbox.ts";
import { Folder } from "../folder/message_index.ts";
import { openRegular } from "../folder/regular_file.ts";
import { HeldMailbox, partsOf } from "../held/held_mailbox.ts";
import { idPart } from "../naming/maildir_name.ts";
import { maildirId, plainId } from "../naming/unique_id.ts";
import { MailboxPlaces, type MailboxPlacesOptions } from "../places/mailbox_places.ts";
import { type FileMove, moveFiles, syncState } from "./move_files.ts";
import {
  type DeletedNote,
  dropNotes,
  findTrash,
  readNotes,
  readTrashName,
  type TrashedName,
} from "./trash_folder.ts";

const DAY = 24 * 60 * 60 * 1000;
/** Octets of a message that are looked through for its subject. */
const HEADER_OCTETS = 16 * 1024;

/** What the trash works with. */
export interface MailboxTrashOptions extends MailboxPlacesOptions {
  readonly held: HeldFolders;
}

interface OpenTrash {
  readonly mailbox: Mailbox;
  readonly trash: FolderState;
  readonly notes: ReadonlyMap<string, DeletedNote>;
  readonly files: readonly TrashedName[];
}

/** The trash of all mailboxes. Each call rejects with the mail store's errors when a mailbox cannot be used. */
export class MailboxTrash {
  readonly #options: MailboxTrashOptions;
  readonly #places: MailboxPlaces;

  constructor(options: MailboxTrashOptions) {
    this.#options = options;
    this.#places = new MailboxPlaces(options, new FolderProbe());
  }

  /** A user's deleted messages, the oldest first. */
  async list(user: string, record: UserRecord | undefined): Promise<readonly DeletedMessage[]> {
    const open = await this.#open(user, record);
    return (open?.files ?? []).flatMap((file) => {
      const look = lookIfThere(`${open!.trash.path}/${file.file}`);
      if (look === undefined) return [];
      const { uid, size, by } = open!.notes.get(file.file) ??
        { uid: uidOf(file, look), size: look.size, by: "" };
      const subject = subjectOf(`${open!.trash.path}/${file.file}`);
      return [{ at: file.at, uid, size, by, subject }];
    });
  }

  /**
   * Puts messages back where they were; their files keep name and time, and so their unique-ids.
   *
   * @returns how many
   */
  async restore(
    user: string,
    record: UserRecord | undefined,
    selection: TrashSelection,
  ): Promise<number> {
    const open = await this.#open(user, record);
    if (open === undefined) return 0;
    const { mailbox, trash } = open;
    let [restored, octets] = [0, 0];
    for (const folder of [Folder.NEW, Folder.CUR, Folder.PLAIN]) {
      const moves = this.#selected(open, selection).filter((move) => move.folder === folder);
      // The layout may have changed: then it goes where that layout has messages.
      const to = mailbox.folders.get(folder) ?? [...mailbox.folders.values()].at(-1)!;
      if (moves.length === 0) continue;
      const outcomes = await moveFiles(mailbox, this.#options.held, trash, to, moves);
      outcomes.forEach((outcome, at) => {
        if (outcome !== "moved") return;
        restored++;
        octets += moves[at]!.look.size;
      });
      await syncState(to);
    }
    await syncState(trash);
    if (mailbox.layout === "maildir" && restored > 0) {
      changeUse(mailbox.path, { octets, messages: restored });
    }
    return restored;
  }

  /** Removes messages for good. @returns how many */
  async purge(
    user: string,
    record: UserRecord | undefined,
    selection: TrashSelection,
  ): Promise<number> {
    const open = await this.#open(user, record);
    if (open === undefined) return 0;
    return await this.#remove(open, this.#selected(open, selection).map(({ name }) => name));
  }

  /** Removes what was deleted more than so many days ago. @returns what it removed */
  async sweep(
    user: string,
    record: UserRecord | undefined,
    days: number,
  ): Promise<readonly { readonly uid: string; readonly size: number }[]> {
    const open = await this.#open(user, record);
    const before = Date.now() - days * DAY;
    const old = (open?.files ?? []).filter(({ at }) => at <= before);
    if (open === undefined || old.length === 0) return [];
    const told = old.map(({ file, name }) => {
      const { uid, size } = open.notes.get(file) ?? { uid: maildirId(idPart(name)), size: 0 };
      return { uid, size };
    });
    const removed = await this.#remove(open, old.map(({ file }) => file));
    return told.slice(0, removed);
  }

  async #remove({ mailbox, trash, files }: OpenTrash, names: readonly string[]): Promise<number> {
    let removed = 0;
    if (mailbox.writers === "server") {
      for (const name of names) {
        try {
          Deno.removeSync(`${trash.path}/${name}`);
          removed++;
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
    } else {
      const folders = new Map([[Folder.NEW, trash]]);
      const held = new HeldMailbox({ ...mailbox, folders }, this.#options.held);
      const found = names.flatMap((name) => {
        const look = lookIfThere(`${trash.path}/${name}`);
        return look === undefined ? [] : [{ folder: Folder.NEW, name, look }];
      });
      for (const part of partsOf(found)) {
        const { answers } = await held.unlink(part);
        removed += answers.filter(({ kind }) => kind === "done").length;
      }
    }
    await syncState(trash);
    if (removed === files.length) dropNotes(trash);
    return removed;
  }

  #selected(
    { trash, notes, files }: OpenTrash,
    selection: TrashSelection,
  ): (FileMove & { readonly folder: Folder })[] {
    return files.flatMap((trashed) => {
      const look = lookIfThere(`${trash.path}/${trashed.file}`);
      if (look === undefined) return [];
      const uid = notes.get(trashed.file)?.uid ?? uidOf(trashed, look);
      const isMeant = selection.kind === "all" ||
        (selection.kind === "since" ? trashed.at >= selection.at : selection.uids.includes(uid));
      const { file: name, name: to, folder } = trashed;
      return isMeant ? [{ name, to, look, folder }] : [];
    });
  }

  async #open(user: string, record: UserRecord | undefined): Promise<OpenTrash | undefined> {
    await this.#places.answers(user, record);
    const place = this.#places.of(user, record);
    const mailbox = place && this.#places.find(place);
    const trash = mailbox && findTrash(mailbox);
    if (mailbox === undefined || trash === undefined) return undefined;
    const files = [...Deno.readDirSync(trash.path)]
      .flatMap(({ name, isFile }) => isFile ? readTrashName(name) ?? [] : [])
      .sort((a, b) => a.at - b.at || (a.file < b.file ? -1 : 1));
    return { mailbox, trash, notes: readNotes(trash), files };
  }
}

function uidOf({ folder, name }: TrashedName, look: FileLook): string {
  return folder === Folder.PLAIN
    ? plainId(name, look.modified, look.size)
    : maildirId(idPart(name));
}

function lookIfThere(path: string): FileLook | undefined {
  try {
    const look = lookAtName(path);
    return look.isFile ? look : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The subject as it stands in the header, on one line; empty where there is none. */
function subjectOf(path: string): string {
  try {
    const { file } = openRegular(path);
    using open = file;
    const octets = new Uint8Array(HEADER_OCTETS);
    const count = open.readSync(octets) ?? 0;
    const text = new TextDecoder().decode(octets.subarray(0, count));
    const header = text.split(/\r?\n\r?\n/, 1)[0]!;
    const [, subject = ""] = /^Subject:[ \t]*(.*(?:\r?\n[ \t].*)*)/im.exec(header) ?? [];
    return subject.replaceAll(/\r?\n[ \t]+/g, " ").trim();
  } catch (error) {
    if (error instanceof Error) return "";
    throw error;
  }
}
