/** Which mail store the sessions of a thread get. */

import type { Yielder } from "../async/yielder.ts";
import type { RunningTime } from "../async/running_time.ts";
import type { HeldFolders } from "../contracts/held_folders.ts";
import { FolderMailStore } from "./folder/folder_mail_store.ts";
import type { MailStore } from "../contracts/mail_store.ts";
import { logger } from "../log/logging.ts";
import type { SessionSettings } from "../contracts/settings.ts";

const log = logger("mail");

/** What the stores of one thread share. */
export interface StoreThread {
  readonly yielder: Yielder;
  /** Of the server. */
  readonly running: RunningTime;
  /** The user id that the server runs under. */
  readonly account: number;
  /** Works in mailboxes of a mail folder that others than the server can write in. */
  readonly held: (root: string) => HeldFolders;
}

/**
 * Makes the function that gives each session its store: one and the same until the settings change, so that it can remember what
 * it has warned of.
 */
export function storeFactory(
  thread: StoreThread,
): (settings: SessionSettings) => MailStore {
  let last: { readonly settings: SessionSettings; readonly store: MailStore } | undefined;
  return (settings) => {
    if (last?.settings !== settings) {
      last = { settings, store: makeStore(settings, thread) };
    }
    return last.store;
  };
}

function makeStore(settings: SessionSettings, thread: StoreThread): MailStore {
  const { maildir, defaultDomain, maxMessages, expire, noFlagUpdates, timeout } = settings;
  return new FolderMailStore({
    root: maildir,
    ...thread,
    held: thread.held(maildir),
    ...(defaultDomain !== undefined && { defaultDomain }),
    maxMessages,
    expireDays: expire,
    flagUpdates: !noFlagUpdates,
    // A client that waits longer is like one that says nothing.
    measureTimeout: timeout === 0 ? Infinity : timeout * 1000,
    warn: (message, properties) => log.warn(message, properties ?? {}),
  });
}
