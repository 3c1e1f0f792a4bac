/** One mail folder is served by one Postern at a time, whose locks are known to that one alone; or by several that share one state. */

import { closeSync, constants, fchmodSync, fstatSync, openSync } from "node:fs";
import { isNotFound } from "../files/file_error.ts";
import { logger } from "../log/logging.ts";
import { StartError } from "../net/start_error.ts";
import { prepareNotes, type ServedFolders } from "./places/served_mailboxes.ts";

const log = logger("mail");

/** Hidden, so that no user can be called so. */
const LOCK_FILE = ".postern.lock";

/** Mode of the lock file. */
const PRIVATE = 0o600;
/** Follows no link, and waits for nobody at a FIFO. */
const READ_WRITE_CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/** A mail folder of this process. */
interface Held {
  readonly file: Deno.FsFile | undefined;
  users: number;
}

/** The mail folders that this process serves: one, or two while SET maildir is under way and old sessions go on. */
export class MailFolderLocks {
  readonly #held = new Map<string, Promise<Held>>();
  readonly #installation: string | undefined;
  readonly #served: ServedFolders | undefined;

  /**
   * @param installation names the state that several servers share; undefined for a server that shares its folder with none
   * @param served where it is kept which mail folders were served
   */
  constructor(installation?: string, served?: ServedFolders) {
    this.#installation = installation;
    this.#served = served;
  }

  /**
   * Takes a mail folder for this process. The system gives it back when the process ends, however it ends.
   *
   * @param folder a path without symbolic links, so that a folder has one name
   * @returns disposing gives it back; the folder is free when all who took it have
   * @throws {StartError} when another process has it
   */
  async take(folder: string): Promise<Disposable> {
    let taking = this.#held.get(folder);
    if (taking === undefined) {
      taking = this.#take(folder);
      this.#held.set(folder, taking);
    }
    try {
      const held = await taking;
      held.users++;
      return this.#share(folder, held);
    } catch (error) {
      this.#held.delete(folder);
      throw error;
    }
  }

  async #take(folder: string): Promise<Held> {
    const file = await lockFile(folder, this.#installation);
    try {
      await prepareNotes(folder, this.#served);
      return { file, users: 0 };
    } catch (error) {
      file?.close();
      throw error;
    }
  }

  #share(folder: string, held: Held): Disposable {
    let mine = true;
    return {
      [Symbol.dispose]: () => {
        if (!mine) return;
        mine = false;
        if (--held.users > 0) return;
        this.#held.delete(folder);
        held.file?.close();
      },
    };
  }
}

/** Opens and locks the file; undefined where it cannot be made. */
async function lockFile(
  folder: string,
  installation: string | undefined,
): Promise<Deno.FsFile | undefined> {
  const path = `${folder}/${LOCK_FILE}`;
  let file;
  try {
    file = await openPrivate(folder);
  } catch (error) {
    log.warn(
      "Cannot create the lock file {path}; a second Postern could serve the same mail folder: {error}",
      { path, error },
    );
    return undefined;
  }
  if (await file.tryLock(installation === undefined)) {
    if (installation === undefined || isOf(installation, file)) return file;
    file.close();
    throw new StartError(
      `The mail folder ${folder} belongs to servers of another state (${path} names it). Name their database with --state, or another folder with -d (--maildir). If that state is no more, remove ${path}.`,
    );
  }
  file.close();
  throw new StartError(
    `Another Postern serves the mail folder ${folder} (it holds ${path}). Stop it, or name another folder with -d (--maildir).`,
  );
}

/** Whether the file names this state, or none yet, which is written then. */
function isOf(installation: string, file: Deno.FsFile): boolean {
  const buffer = new Uint8Array(128);
  file.seekSync(0, Deno.SeekMode.Start);
  const octets = file.readSync(buffer) ?? 0;
  const named = new TextDecoder().decode(buffer.subarray(0, octets)).trim();
  if (named !== "") return named === installation;
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(new TextEncoder().encode(`${installation}\n`));
  return true;
}

/**
 * Opens the file so that nobody else can from then on: whoever may read a file can lock it, too, and keep the server from starting. One that
 * an older version made for all to read becomes private, one that another account put there is replaced.
 *
 * @throws {Error} when it cannot be made, or is no regular file
 */
async function openPrivate(folder: string): Promise<Deno.FsFile> {
  const path = `${folder}/${LOCK_FILE}`;
  const own = ownAccount(folder);
  if (isForeign(path, own)) Deno.removeSync(path);
  const number = openSync(path, READ_WRITE_CREATE, PRIVATE);
  try {
    const made = fstatSync(number);
    if (!made.isFile()) throw new Error("it is no regular file");
    if (made.uid !== own) throw new Error("it belongs to another account");
    if ((made.mode & 0o7777) !== PRIVATE) fchmodSync(number, PRIVATE);
    // Only what the runtime opens itself can be locked.
    const file = await Deno.open(path, { read: true, write: true });
    const { dev, ino } = file.statSync();
    if (dev === made.dev && ino === made.ino) return file;
    file.close();
    throw new Error("another program exchanged it");
  } finally {
    closeSync(number);
  }
}

/** The account that files of this process get; asking for it takes a permission that the server does not have. */
function ownAccount(folder: string): number | null {
  const path = Deno.makeTempFileSync({ dir: folder, prefix: `${LOCK_FILE}.` });
  try {
    return Deno.lstatSync(path).uid;
  } finally {
    Deno.removeSync(path);
  }
}

function isForeign(path: string, own: number | null): boolean {
  try {
    return Deno.lstatSync(path).uid !== own;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
