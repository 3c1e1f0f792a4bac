/** Finds out at login which messages a mailbox holds and how many octets each has when it is sent. */

import type { YieldingTask } from "../../async/yielder.ts";
import { printable } from "../../bytes/printable.ts";
import { type JournalVersion, learnDelivered } from "../delivery/delivered_journal.ts";
import { type ListingTime } from "./cache_file.ts";
import type { Folder, MessageIndex } from "./message_index.ts";
import {
  fileErrorReason,
  isFileError,
  isNotFound,
  isTemporaryFileError,
} from "../../files/file_error.ts";
import { MaildropUnavailableError, MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { leaveOut, type LeftOut, type Listing, listMailbox, NOT_UTF8 } from "../listing/listing.ts";
import { type Mailbox, unreadable } from "./mailbox.ts";
import { FileMeter, keepMeasures, type MeasuredSize } from "../message/measure_file.ts";
import type { UnchangedFolders } from "../listing/unchanged_folders.ts";
import { PlainMail } from "./plain_mail.ts";
import { reconcile } from "../listing/reconcile.ts";
import type { FileTrust } from "../held/file_trust.ts";
import { type FileLook, lookAtName } from "./file_look.ts";
import { notRegular, NotRegularError, type OpenFile, openFile } from "./regular_file.ts";

/**
 * Mailboxes of at most so many messages have every file looked at in each login, so that a message edited in place is counted anew. In bigger
 * ones Maildir's rule that messages never change is relied on, until one is opened.
 */
const LOOK_AT_EACH = 4096;
/** Rows that are gone through between two looks at the clock. */
const ROWS_A_LOOK = 1024;

/** Settings of {@linkcode scanMailbox}. */
export interface ScanOptions {
  /** Messages that are served; 0 for all. */
  readonly maxMessages: number;
  /** Lets others run while a big mailbox is worked on. */
  readonly task: YieldingTask;
  /** The same while messages are measured, and ends that when it takes too long. */
  readonly measuring: YieldingTask;
  /** Keeps what was measured by the time that the work failed, or was ended: the next login goes on from there. */
  readonly keep: (messageIndex: MessageIndex) => Promise<void>;
  /** Gives files names that can be told; says whether any got one. @default they are left out */
  readonly respell?: (() => Promise<boolean>) | undefined;
  readonly warn: (message: string, properties?: Record<string, unknown>) => void;
  /** Tells the mailbox's files from others that its names lead to. */
  readonly trust: FileTrust;
  /** Folders that are known to hold nothing. */
  readonly empty: UnchangedFolders;
}

/** What was found. */
export interface Scan {
  readonly messageIndex: MessageIndex;
  /** Rows that are served, in order. */
  readonly served: Uint32Array;
  /** Whether the message index tells more or other than it did before. */
  readonly changed: boolean;
  /** When the folders were listed; undefined when an earlier listing was relied on. */
  readonly listed: ListingTime | undefined;
  /** What deliveries had written down, and the message index tells now. */
  readonly journal?: JournalVersion | undefined;
}

/**
 * Scans a mailbox.
 *
 * @param known what the cache told
 * @param isListed whether what the cache told lists exactly what the folders hold
 * @throws {MessageTooBigError} when a message is too big to be measured
 * @throws {MaildropUnreadableError} when a folder may not be read
 * @throws {MaildropUnavailableError} when a folder or a file cannot be read now, or no file may be read: clients that keep mail on the
 *   server would take what is missing for deleted
 */
export async function scanMailbox(
  mailbox: Mailbox,
  known: MessageIndex | undefined,
  isListed: boolean,
  options: ScanOptions,
): Promise<Scan> {
  let learned = false;
  if (known !== undefined && isListed) {
    const look = newLook();
    await lookAtRows(mailbox, known, look, options);
    // A name that is gone although its folder has not changed: the file system tells old news, so it is asked again.
    if (look.gone.size === 0) return conclude(mailbox, known, look, undefined, options);
    learned = look.changed;
  }
  const listed = { at: performance.now() };
  const list = (): Promise<Listing> => listMailbox(mailbox, options.task, options.empty);
  let listing = await list();
  if (listing.isMisread && await options.respell?.()) listing = await list();
  const { messageIndex, changed } = await reconcile(mailbox, listing, known, options.task);
  const look = newLook(listing.leftOut);
  const journal = messageIndex.isMeasuredWhole()
    ? undefined
    : await learnDelivered(mailbox, messageIndex, options.task);
  look.changed ||= journal !== undefined;
  try {
    await lookAtRows(mailbox, messageIndex, look, options);
  } catch (error) {
    // In a folder that is no mailbox nothing is made.
    const isMailbox = !(error instanceof MaildropUnreadableError);
    if (look.changed && isMailbox) await options.keep(messageIndex);
    throw error;
  }
  look.changed ||= changed || learned;
  return { ...await conclude(mailbox, messageIndex, look, listed, options), journal };
}

/** What files are measured with. */
interface Measuring {
  readonly meter: FileMeter;
  readonly trust: FileTrust;
  /** In a plain folder: knows mail from other files. */
  readonly plain: PlainMail | undefined;
}

/** What looking at rows' files told. */
interface Look {
  changed: boolean;
  /** How many rows were looked at before `maxMessages` was reached. */
  end: number;
  readonly gone: Set<number>;
  readonly unreadable: Set<number>;
  readonly leftOut: LeftOut;
}

function newLook(leftOut: LeftOut = { count: 0, first: [] }): Look {
  return { changed: false, end: 0, gone: new Set(), unreadable: new Set(), leftOut };
}

async function lookAtRows(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  look: Look,
  options: ScanOptions,
): Promise<void> {
  const { measuring, task, trust } = options;
  const meter = new FileMeter(measuring);
  const plain = mailbox.layout === "plain" ? new PlainMail(mailbox) : undefined;
  const lookAtEach = plain !== undefined || messageIndex.length <= LOOK_AT_EACH;
  const most = options.maxMessages === 0 ? Infinity : options.maxMessages;
  let served = 0;
  for (; look.end < messageIndex.length && served < most; look.end++) {
    const row = look.end;
    const isMeasured = messageIndex.isMeasured(row);
    if (lookAtEach || !isMeasured || messageIndex.modified[row] === 0) {
      try {
        const changed = refreshRow(mailbox, messageIndex, row, { meter, trust, plain });
        if (typeof changed === "boolean" ? changed : await changed) look.changed = true;
      } catch (error) {
        note(look, mailbox, messageIndex, row, error);
      }
    }
    if (!look.gone.has(row) && !look.unreadable.has(row)) served++;
    if (task.due()) await (isMeasured ? task : measuring).pause();
  }
  plain?.checkEmpty(
    messageIndex,
    look.end,
    (row) => look.gone.has(row) || look.unreadable.has(row),
  );
}

/** Measures a row's file unless it is as it was measured; says whether it had to. At once where it can: most rows need no promise. */
function refreshRow(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  row: number,
  measuring: Measuring,
): Promise<true> | boolean {
  const { plain } = measuring;
  const folder = mailbox.folders.get(messageIndex.folders[row] as Folder)!;
  const path = `${folder.path}/${messageIndex.names.at(row)}`;
  let isSame = false;
  if (messageIndex.isMeasured(row)) {
    const look = lookAtName(path);
    isSame = look.isFile && messageIndex.looksLike(row, look);
    if (isSame && (plain?.isJudged(messageIndex, row) ?? true)) {
      learnIdentity(mailbox, messageIndex, row, look);
      return learnTime(messageIndex, row, look);
    }
  }
  // The same name with another content is another message in a plain folder.
  if (plain !== undefined && !isSame) messageIndex.firstRetrieved[row] = 0;
  const file = openFile(path);
  let measured: true | Promise<true> | undefined;
  try {
    measured = measureRow(mailbox, messageIndex, row, path, file, measuring);
  } finally {
    if (!(measured instanceof Promise)) file[Symbol.dispose]();
  }
  return measured instanceof Promise ? measured.finally(() => file[Symbol.dispose]()) : measured;
}

/** Measures an open file. */
function measureRow(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  row: number,
  path: string,
  file: OpenFile,
  { meter, plain, trust }: Measuring,
): Promise<true> | true {
  // Where nobody else writes, the name tells what is open; asking the open file takes three times as long.
  const look = mailbox.writers === "server" ? lookAtName(path) : file.look();
  if (!look.isFile) throw notRegular();
  const keep = (measured: MeasuredSize): true => {
    keepMeasures(messageIndex, row, measured, look.modified);
    messageIndex.identify(row, look);
    return true;
  };
  const measure = (): Promise<true> | true => {
    plain?.judge(messageIndex, row, file, look.size);
    const measured = meter.measure(file, look.size, mailbox.layout === "maildir");
    return measured instanceof Promise ? measured.then(keep) : keep(measured);
  };
  const checking = trust.check(look);
  return checking === undefined ? measure() : checking.then(measure);
}

/** Keeps which file a row tells of, where a name can be believed. */
function learnIdentity(
  { owner, writers }: Mailbox,
  messageIndex: MessageIndex,
  row: number,
  look: FileLook,
): void {
  if (writers === "server" || (writers === "owner" && look.owner === owner)) {
    messageIndex.identify(row, look);
  }
}

/** Keeps a time that was not asked for when the file was measured; says whether there was one to keep. */
function learnTime(messageIndex: MessageIndex, row: number, look: FileLook): boolean {
  if (messageIndex.modified[row] !== 0) return false;
  messageIndex.modified[row] = look.modified;
  return messageIndex.modified[row] !== 0;
}

/** Sorts an error: no file any more, a file that may not be read, or one that ends the login. */
function note(
  look: Look,
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  row: number,
  error: unknown,
): void {
  const name = messageIndex.names.at(row);
  if (!(error instanceof NotRegularError)) {
    const isLeftOut = isFileError(error) && (isNotFound(error) || !isTemporaryFileError(error));
    const { path } = mailbox.folders.get(messageIndex.folders[row] as Folder)!;
    if (!isLeftOut) throw unreadable(`${path}/${printable(name)}`, error);
  }
  if (isNotFound(error) && !name.includes("\ufffd")) {
    look.gone.add(row);
    return;
  }
  look.unreadable.add(row);
  if (messageIndex.isMeasured(row)) {
    messageIndex.storedSize[row] = NaN;
    look.changed = true;
  }
  const reason = name.includes("\ufffd") ? NOT_UTF8 : fileErrorReason(error);
  leaveOut(look.leftOut, name, reason);
}

async function conclude(
  mailbox: Mailbox,
  messageIndex: MessageIndex,
  look: Look,
  listed: ListingTime | undefined,
  options: ScanOptions,
): Promise<Scan> {
  const { task } = options;
  warnOf(mailbox, messageIndex.length, look, options);
  const served = new Uint32Array(look.end - look.gone.size - look.unreadable.size);
  for (let row = 0, index = 0; row < look.end; row++) {
    if (!look.gone.has(row) && !look.unreadable.has(row)) served[index++] = row;
    if (row % ROWS_A_LOOK === 0 && task.due()) await task.pause();
  }
  if (served.length === 0 && look.unreadable.size > 0) {
    throw new MaildropUnavailableError(
      `None of the ${look.unreadable.size} messages of ${mailbox.path} may be read. Let the server's user read them.`,
    );
  }
  return { messageIndex, served, changed: look.changed, listed };
}

function warnOf(mailbox: Mailbox, rows: number, look: Look, options: ScanOptions): void {
  const { leftOut } = look;
  if (leftOut.count > 0) {
    const files = leftOut.first.map(([name, reason]) => printable(`${name}: ${reason}`, 400));
    options.warn(
      `${leftOut.count} of a mailbox's files are left out, since they cannot be read.`,
      {
        mailbox: mailbox.path,
        files,
      },
    );
  }
  warnNotServed(mailbox, rows - look.end, options);
}

/** The first of a mailbox's messages, as many as are served; 0 stands for all. */
export function firstOf<T>(
  mailbox: Mailbox,
  messages: readonly T[],
  maxMessages: number,
  warn: ScanOptions["warn"],
): readonly T[] {
  if (maxMessages === 0 || messages.length <= maxMessages) return messages;
  warnNotServed(mailbox, messages.length - maxMessages, { maxMessages, warn });
  return messages.slice(0, maxMessages);
}

function warnNotServed(
  mailbox: Mailbox,
  notServed: number,
  { maxMessages, warn }: Pick<ScanOptions, "maxMessages" | "warn">,
): void {
  if (notServed <= 0) return;
  warn(`${notServed} messages of a mailbox are not served: max_messages is reached.`, {
    mailbox: mailbox.path,
    maxMessages,
  });
}
