/** Makes a user's mailbox. */

const MODE = 0o700;

/**
 * Makes a Maildir. `cur` comes first: from then on the folder is told from a plain one.
 *
 * @throws {Error} when the folder above is missing or cannot be written
 */
export function makeMailbox(path: string): void {
  makeFolder(path);
  for (const folder of ["cur", "new", "tmp"]) makeFolder(`${path}/${folder}`);
}

function makeFolder(path: string): void {
  try {
    Deno.mkdirSync(path, { mode: MODE });
  } catch (error) {
    // Another session made it.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}
