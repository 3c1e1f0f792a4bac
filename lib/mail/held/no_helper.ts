/** What is said where the program for held folders is missing. */

import { NoHelperError } from "../../contracts/held_folders.ts";

/** For whoever can install it. */
export function noHelper(): NoHelperError {
  return new NoHelperError(
    "perl is not in PATH. Without it, mail is neither read nor removed where others than the server's account can write: install perl, or give the mailbox to the server's account alone.",
  );
}
