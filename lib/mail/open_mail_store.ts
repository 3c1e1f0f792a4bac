/** Which mail store the sessions of a thread get. */

import type { Yielder } from "../async/yielder.ts";
import type { RunningTime } from "../async/running_time.ts";
import type { HeldFolders } from "../contracts/held_folders.ts";
import { readIds } from "./places/file_ids.ts";
import { FolderMailStore } from "./folder/folder_mail_store.ts";
import type { MailRoots } from "./places/mail_roots.ts";
import { readPlace } from "./naming/place_template.ts";
import type { MailStore, MessageInfo } from "../contracts/mail_store.ts";
import { logger } from "../log/logging.ts";
import { FolderProbe } from "./folder_probe.ts";
import type { MailThreads } from "./mail_thread/mail_threads.ts";
import type { StoreSettings } from "./store_settings.ts";

const log = logger("mail");

/** What the stores of one thread share. */
export interface StoreThread {
  readonly yielder: Yielder;
  /** Of the server. */
  readonly running: RunningTime;
  /** The user id that the server runs under. */
  readonly account: number;
  /** Works in mailboxes that others than the server can write in. */
  readonly held: (root: string, homes: readonly string[]) => HeldFolders;
  /** Where mailboxes may lie, under some settings. */
  readonly roots: (settings: StoreSettings) => MailRoots;
  /** Serve mailboxes that are slow to answer, which would hold up all of this thread. @default {they are served like others} */
  readonly threads?: MailThreads;
  /** Whether a device is a file system of another machine. @default none is */
  readonly isRemote?: (device: number) => Promise<boolean>;
  /** @default {it goes to the log} */
  readonly warn?: (message: string, properties?: Record<string, unknown>) => void;
}

/**
 * Makes the function that gives each session its store: one and the same until the settings change, so that it can remember what
 * it has warned of.
 */
export function storeFactory(
  thread: StoreThread,
): (settings: StoreSettings) => MailStore {
  const { isRemote } = thread;
  const probe = new FolderProbe(isRemote === undefined ? {} : { isRemote });
  let last: { readonly settings: StoreSettings; readonly store: MailStore } | undefined;
  return (settings) => {
    if (last?.settings !== settings) {
      last = { settings, store: makeStore(settings, thread, probe) };
    }
    return last.store;
  };
}

function makeStore(
  settings: StoreSettings,
  thread: StoreThread,
  probe: FolderProbe,
): MailStore {
  const { defaultDomain, mailbox, maxMessages, expire, noFlagUpdates, timeout } = settings;
  const { logDeletes, trash } = settings;
  const { account, held, running, threads, warn, yielder } = thread;
  const roots = thread.roots(settings);
  const { maildir: { given, real }, homes } = roots;
  const served = { settings, roots };
  return new FolderMailStore({
    account,
    running,
    yielder,
    probe,
    root: real,
    given,
    homes,
    held: held(real, homes.map((home) => home.real)),
    template: mailbox === undefined ? undefined : readPlace(mailbox),
    ids: readIds(settings.ids, account),
    ...(threads !== undefined && {
      slow: (mailbox, place) => threads.storeOf(mailbox, place, served),
    }),
    ...(defaultDomain !== undefined && { defaultDomain }),
    maxMessages,
    expireDays: expire,
    trash,
    ...(logDeletes && { deleted: logDeleted }),
    flagUpdates: !noFlagUpdates,
    // A client that waits longer is like one that says nothing.
    measureTimeout: timeout === 0 ? Infinity : timeout * 1000,
    warn: warn ?? ((message, properties) => log.warn(message, properties ?? {})),
  });
}

/** The line of a message that expired; nobody's session removed it. */
function logDeleted(user: string, { uid, size }: MessageInfo): void {
  log.info("Deleted message {uid} of {user}: {size} octets, expired", { user, uid, size });
}
