/** A message on its way into a Maildir: written to `tmp/`, synced, and moved into `new/` whole, or not at all. */

import {
  close,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  futimesSync,
  open,
  write,
} from "node:fs";
import { promisify } from "node:util";
import { WireMeter } from "../../bytes/wire_meter.ts";
import { fileErrorNumber, isFileError } from "../../files/file_error.ts";
import type { Mailbox } from "../folder/mailbox.ts";
import { type FileLook, lookOf } from "../folder/file_look.ts";
import { stampOf } from "../folder/folder_stamp.ts";
import { Folder } from "../folder/message_index.ts";
import { HeldMailbox } from "../held/held_mailbox.ts";
import type { HeldFolders } from "../../contracts/held_folders.ts";
import { type Delivered, noteDelivered } from "./delivered_journal.ts";
import { withSizes } from "./delivery_name.ts";
import { changeUse } from "./maildir_size.ts";

const openFile = promisify(open);
const closeFile = promisify(close);
const syncFile = promisify(fsync);
const writeFile = promisify(write) as unknown as (
  file: number,
  octets: Uint8Array,
  offset: number,
  length: number,
) => Promise<number | { readonly bytesWritten: number }>;

/** Never another program's file, and never through a link. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const READ_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;
const EINVAL = 22;
/** Octets that are gathered before they are written. */
const BLOCK = 64 * 1024;

/** What a message is delivered with. */
export interface IncomingOptions {
  readonly mailbox: Mailbox;
  /** The unique part of the file's name. */
  readonly name: string;
  readonly held: HeldFolders;
  /** Whom root gives the file to; undefined for nobody. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** The file's mode. */
  readonly mode: number;
  /** Where an old message goes, that another server had before. @default `new/`, under the name with sizes */
  readonly place?: OldPlace;
}

/** A place for a message that was delivered long ago. */
export interface OldPlace {
  readonly folder: "new" | "cur";
  /** The file's name there. */
  readonly name: string;
  /** The file's time, milliseconds since 1970. */
  readonly time: number;
}

/** A message that is being written. Disposing removes what was not delivered. */
export class IncomingMessage implements AsyncDisposable {
  readonly #options: IncomingOptions;
  readonly #file: number;
  readonly #meter = new WireMeter();
  readonly #block = new Uint8Array(BLOCK);
  #filled = 0;
  #stored = 0;
  #state: "open" | "closed" | "delivered" = "open";

  private constructor(options: IncomingOptions, file: number) {
    this.#options = options;
    this.#file = file;
  }

  /** Makes its file. @throws {Error} of the file system */
  static async open(options: IncomingOptions): Promise<IncomingMessage> {
    const path = `${options.mailbox.path}/tmp/${options.name}`;
    return new IncomingMessage(options, await openFile(path, CREATE, 0o600));
  }

  /** Octets so far. */
  get size(): number {
    return this.#stored;
  }

  /** Adds octets. @throws {Error} of the file system */
  async write(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length;) {
      const part = octets.subarray(at, at + BLOCK - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BLOCK) await this.#flush();
    }
    this.#stored += octets.length;
  }

  /**
   * Delivers it: when this has settled, no crash takes it back.
   *
   * @returns the name in `new/`
   * @throws {Error} when it could not be delivered; nothing of it is left then but, after a crash, a file in `tmp/`
   */
  async deliver(): Promise<string> {
    await this.#flush();
    const { mailbox, mode, owner } = this.#options;
    const { size, verbatim } = this.#meter.finish();
    const isOurs = mailbox.writers === "server";
    if (isOurs && owner !== undefined) fchownSync(this.#file, owner.uid, owner.gid);
    if (mode !== 0o600) fchmodSync(this.#file, mode);
    await syncFile(this.#file);
    const { place } = this.#options;
    if (place !== undefined) futimesSync(this.#file, place.time / 1000, place.time / 1000);
    const look = lookOf(fstatSync(this.#file));
    const name = place?.name ?? withSizes(this.#options.name, this.#stored, size);
    if (isOurs) await this.#rename(name);
    else await this.#renameHeld(name, look);
    this.#state = "delivered";
    if (!isOurs && owner !== undefined) fchownSync(this.#file, owner.uid, owner.gid);
    await closeFile(this.#file);
    await syncFolder(`${mailbox.path}/${this.#folder}`);
    const { modified } = look;
    const delivered: Delivered = { name, storedSize: this.#stored, size, verbatim, modified };
    if (place === undefined) noteDelivered(mailbox.path, delivered, owner);
    changeUse(mailbox.path, { octets: this.#stored, messages: 1 });
    return name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "closed";
    await closeFile(this.#file);
    try {
      await Deno.remove(`${this.#options.mailbox.path}/tmp/${this.#options.name}`);
    } catch (error) {
      // It is removed from tmp/ after a day and a half.
      if (!isFileError(error)) throw error;
    }
  }

  get #folder(): "new" | "cur" {
    return this.#options.place?.folder ?? "new";
  }

  async #flush(): Promise<void> {
    const octets = this.#block.subarray(0, this.#filled);
    for (let at = 0; at < octets.length;) {
      const part = octets.subarray(at, at + this.#meter.input.length);
      this.#meter.input.set(part);
      this.#meter.add(part.length);
      at += part.length;
    }
    for (let at = 0; at < octets.length;) {
      const written = await writeFile(this.#file, octets, at, octets.length - at);
      at += typeof written === "number" ? written : written.bytesWritten;
    }
    this.#filled = 0;
  }

  async #rename(name: string): Promise<void> {
    const { path } = this.#options.mailbox;
    await Deno.rename(`${path}/tmp/${this.#options.name}`, `${path}/${this.#folder}/${name}`);
  }

  /** Where others can exchange what names stand for: in the held folders, and only if the file lies in the real `tmp/`. */
  async #renameHeld(name: string, look: FileLook): Promise<void> {
    const { mailbox, held } = this.#options;
    const [fresh, tmp] = await Promise.all(
      [this.#folder, "tmp"].map(async (folder) => {
        const path = `${mailbox.path}/${folder}`;
        const info = await Deno.lstat(path);
        return { path, stamp: stampOf(info), size: info.size };
      }),
    );
    // The folder's place in the list is all that a request names: tmp/ stands in that of cur/.
    const folders = new Map([[Folder.NEW, fresh!], [Folder.CUR, tmp!]] as const);
    const file = { folder: Folder.CUR, name: this.#options.name, look };
    const to = { folder: Folder.NEW, name };
    const [answer] = await new HeldMailbox({ ...mailbox, folders }, held).rename([{ ...file, to }]);
    if (answer?.kind === "error") throw answer.error;
    if (answer?.kind !== "done") throw new Error("The message's file in tmp/ was taken away");
  }
}

/** Syncs a folder; where the file system cannot, that is no error. */
async function syncFolder(path: string): Promise<void> {
  const folder = await openFile(path, READ_FOLDER);
  try {
    await syncFile(folder);
  } catch (error) {
    if (fileErrorNumber(error) !== EINVAL) throw error;
  } finally {
    await closeFile(folder);
  }
}
