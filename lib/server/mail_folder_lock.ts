/** One mail folder is served by one Postern at a time: its locks are known to that one alone. */

import { logger } from "../observe/logging.ts";
import { StartError } from "./start_error.ts";

const log = logger("mail");

/** Hidden, so that no user can be called so. */
const LOCK_FILE = ".postern.lock";

/**
 * Takes a mail folder for this process. The system gives it back when the process ends, however it ends.
 *
 * @returns disposing gives it back
 * @throws {StartError} when another process has it
 */
export async function lockMailFolder(folder: string): Promise<Disposable> {
  const path = `${folder}/${LOCK_FILE}`;
  let file;
  try {
    file = await Deno.open(path, { create: true, write: true });
  } catch (error) {
    log.warn(
      "Nobody keeps another Postern from serving the same mail folder: its lock file cannot be made: {error}",
      {
        path,
        error,
      },
    );
    return { [Symbol.dispose]: () => {} };
  }
  if (!await file.tryLock(true)) {
    file.close();
    throw new StartError(
      `Another Postern serves the mail folder ${folder}. Stop it, or name another folder with -d (--maildir).`,
    );
  }
  return { [Symbol.dispose]: () => file.close() };
}
