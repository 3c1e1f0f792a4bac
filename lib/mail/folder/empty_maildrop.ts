/** The maildrop of a user who has no mailbox. */

import type { Maildrop } from "../../contracts/mail_store.ts";

/** Makes a maildrop without messages. */
export function emptyMaildrop(): Maildrop {
  return {
    messages: [],
    open: () => Promise.reject(new TypeError("An empty maildrop has no message to open.")),
    lastRetrieved: () => 0,
    retrieved: () => {},
    remove: () => Promise.resolve({ stayed: [], unsynced: [], reasons: [] }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
