/** One mail folder is served by one Postern at a time: its locks are known to that one alone. */

import { logger } from "../log/logging.ts";
import { StartError } from "../net/start_error.ts";

const log = logger("mail");

/** Hidden, so that no user can be called so. */
const LOCK_FILE = ".postern.lock";

/** A mail folder of this process. */
interface Held {
  readonly file: Deno.FsFile | undefined;
  users: number;
}

/** The mail folders that this process serves: one, or two while SET maildir is under way and old sessions go on. */
export class MailFolderLocks {
  readonly #held = new Map<string, Promise<Held>>();

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
      taking = lockFile(folder).then((file) => ({ file, users: 0 }));
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
async function lockFile(folder: string): Promise<Deno.FsFile | undefined> {
  const path = `${folder}/${LOCK_FILE}`;
  let file;
  try {
    file = await Deno.open(path, { create: true, write: true });
  } catch (error) {
    log.warn(
      "Nobody keeps another Postern from serving the same mail folder: its lock file cannot be made: {error}",
      { path, error },
    );
    return undefined;
  }
  if (await file.tryLock(true)) return file;
  file.close();
  throw new StartError(
    `Another Postern serves the mail folder ${folder}. Stop it, or name another folder with -d (--maildir).`,
  );
}
