/** What works in mailboxes that others than the server can write in: finds the program for it, and bounds how many run. */

import { Semaphore } from "../async/semaphore.ts";
import type { HeldFolders } from "../contracts/held_folders.ts";
import { TransformerError } from "../contracts/transformer.ts";
import { LocalHeldFolders } from "../mail/held/local_held_folders.ts";
import { findProgram } from "../transform/find_program.ts";

/** Programs that run at once; each keeps a processor busy for some milliseconds. */
const MOST_AT_ONCE = 8;

/**
 * Makes what works in one mail folder after the other.
 *
 * @param path the variable PATH, in which Perl is looked for, again as long as it is missing
 */
export function heldFolders(
  path: string,
): (root: string, homes?: readonly string[]) => HeldFolders {
  const turns = new Semaphore(MOST_AT_ONCE);
  let found: string | undefined;
  const perl = async (): Promise<string | undefined> => found ??= await findPerl(path);
  return (root, homes = []) => new LocalHeldFolders({ root, homes, perl, turns });
}

async function findPerl(path: string): Promise<string | undefined> {
  try {
    return await findProgram("perl", { path, cwd: "/" });
  } catch (error) {
    if (error instanceof TransformerError) return undefined;
    throw error;
  }
}
