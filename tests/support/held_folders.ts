/** Held folders for tests: the real ones, and some that cannot be had. */

import { heldFolders } from "../../lib/app/held_folders.ts";
import { type HeldFolders, HelperError } from "../../lib/contracts/held_folders.ts";

/** Works in held folders below a mail folder, as the server does. */
export function heldFoldersOf(root: string): HeldFolders {
  return heldFolders(Deno.env.get("PATH") ?? "")(root);
}

/** For tests of mailboxes that only the server writes in: nothing may be asked for. */
export const NO_HELD_FOLDERS: HeldFolders = {
  run: () => Promise.reject(new HelperError("A test asked for held folders and expected none")),
};
