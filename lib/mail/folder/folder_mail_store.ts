/** Users' mailboxes as folders of files: Maildirs, and plain folders with one file a message. */

import type { RunningTime } from "../../async/running_time.ts";
import { Yielder, type YieldingTask } from "../../async/yielder.ts";
import { printable } from "../../bytes/printable.ts";
import { type HeldFolders, NoHelperError } from "../../contracts/held_folders.ts";
import { FileTrust } from "../held/file_trust.ts";
import { HeldMailbox } from "../held/held_mailbox.ts";
import { CacheKeeper } from "./cache_keeper.ts";
import {
  type CacheVersion,
  type FoundCache,
  isListingValid,
  likelyRows,
  type ListingTime,
  looksSettled,
  mostRows,
  readCache,
} from "./cache_file.ts";
import type { Folder, MessageIndex } from "./message_index.ts";
import { isFileError } from "../../files/file_error.ts";
import { FolderMaildrop } from "./folder_maildrop.ts";
import type { Maildrop, MailStore, MessageInfo, RaiseFence } from "../../contracts/mail_store.ts";
import { RecentIndexes } from "../listing/recent_indexes.ts";
import { UnchangedFolders } from "../listing/unchanged_folders.ts";
import { listMailbox } from "../listing/listing.ts";
import { FolderProbe, type SlowPlace } from "../folder_probe.ts";
import type { Mailbox } from "./mailbox.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import { completeMaildir } from "../places/make_mailbox.ts";
import { MailboxPlaces, type MailboxPlacesOptions } from "../places/mailbox_places.ts";
import type { MailboxPlace } from "../naming/mailbox_path.ts";
import { maildirId } from "../naming/unique_id.ts";
import { mustShow } from "./retrieval_times.ts";
import { nameMessages } from "../naming/name_messages.ts";
import { openingError } from "../opening_error.ts";
import { removeAbandoned } from "../update/remove_abandoned.ts";
import { respell } from "../update/respell.ts";
import { removeExpired } from "../update/remove_expired.ts";
import { firstOf, scanMailbox } from "./scan.ts";
import { SessionUidl } from "../uidl/session_uidl.ts";
import { StoreWarnings } from "./store_warnings.ts";

const MILLISECONDS_A_DAY = 24 * 60 * 60 * 1000;
/** Files from which it pays to write the cache again only because the folders' listing can now be believed. */
const WORTH_LISTING_ONCE = 256;

const nobody = (user: string): Error =>
  new RangeError(`No mailbox can be named ${printable(user)}.`);

/** Settings of a {@linkcode FolderMailStore}. */
export interface FolderMailStoreOptions extends MailboxPlacesOptions {
  /** Works in mailboxes that others than the server can write in. */
  readonly held: HeldFolders;
  /** Messages of a mailbox that are served; 0 for all. */
  readonly maxMessages: number;
  /** Days after its first retrieval when a message is removed; 0 for never. */
  readonly expireDays: number;
  /** Days that removed messages are kept, where the user's record says nothing else. @default {0} */
  readonly trash?: number;
  /** Told of each message that expires. @default {nobody is} */
  readonly deleted?: (user: string, message: MessageInfo) => void;
  /** Whether retrieved messages are marked seen. */
  readonly flagUpdates: boolean;
  /** What days since a retrieval are counted by. */
  readonly running: RunningTime;
  /** Milliseconds that a login may measure messages. @default {Infinity} */
  readonly measureTimeout?: number;
  /** Shares the thread between long work and other sessions. @default {a new one} */
  readonly yielder?: Yielder;
  /** Asks whether mailboxes' file systems answer, and how they do. @default {a new one} */
  readonly probe?: FolderProbe;
  /** Finds the store that serves a mailbox which is slow to answer. @default {it is served here like others} */
  readonly slow?: (mailbox: string, place: SlowPlace) => Promise<MailStore>;
}

/** What a mailbox's cache told. */
interface Known {
  readonly messageIndex: MessageIndex;
  readonly version: CacheVersion;
  readonly cache: FoundCache;
  /** When the folders were found to be as the rows list them; undefined when they must be listed anew. */
  readonly listed: ListingTime | undefined;
  /** Whether it is to be written even if nothing changes: days since a retrieval begin anew, or it would seem to have been away. */
  readonly mustWrite: boolean;
}

/** A {@linkcode MailStore} in the file system. */
export class FolderMailStore implements MailStore {
  readonly #options: FolderMailStoreOptions;
  readonly #yielder: Yielder;
  readonly #probe: FolderProbe;
  /** Folders without messages, and mailboxes without kept ids. */
  readonly #empty = new UnchangedFolders();
  readonly #withoutIds = new UnchangedFolders();
  readonly #recent = new RecentIndexes();
  readonly #places: MailboxPlaces;
  readonly #warnings: StoreWarnings;

  constructor(options: FolderMailStoreOptions) {
    this.#options = options;
    this.#yielder = options.yielder ?? new Yielder();
    this.#probe = options.probe ?? new FolderProbe();
    this.#places = new MailboxPlaces(options, this.#probe);
    this.#warnings = new StoreWarnings(options.warn);
  }

  async acquire(
    user: string,
    signal?: AbortSignal,
    fence?: RaiseFence,
    record?: UserRecord,
  ): Promise<Maildrop> {
    signal?.throwIfAborted();
    await this.#places.answers(user, record, signal);
    const place = this.#places.of(user, record);
    if (place === undefined) throw nobody(user);
    const elsewhere = await this.#elsewhere(place);
    if (elsewhere !== undefined) return await elsewhere.acquire(user, signal, fence, record);
    const found = this.#places.find(place) ?? this.#places.make(user, place);
    this.#warnings.shared(found);
    const mailbox = await this.#complete(found);
    // Of no messages there is nothing to know.
    const known = this.#empty.hasAll(mailbox)
      ? undefined
      : await this.#read(mailbox, this.#yielder.task(signal));
    if (known !== undefined && await this.#removeExpired(user, mailbox, known, fence) > 0) {
      // The folders have changed, so they are looked at again.
      return await this.acquire(user, signal, fence, record);
    }
    try {
      const maildrop = await this.#open(mailbox, known, record, signal);
      this.#places.served.note(user);
      return maildrop;
    } catch (error) {
      throw openingError(mailbox, error, this.#options.measureTimeout ?? 0);
    }
  }

  async create(user: string, record?: UserRecord): Promise<void> {
    await this.#places.answers(user, record);
    const place = this.#places.of(user, record);
    if (place === undefined) throw nobody(user);
    const elsewhere = await this.#elsewhere(place);
    if (elsewhere !== undefined) return await elsewhere.create(user, record);
    if (this.#places.find(place) === undefined) this.#places.create(place);
    this.#places.served.note(user);
  }

  async expire(user: string, fence?: RaiseFence, record?: UserRecord): Promise<number> {
    await this.#places.answers(user, record);
    const place = this.#places.of(user, record);
    const elsewhere = await this.#elsewhere(place);
    if (elsewhere !== undefined) return await elsewhere.expire(user, fence, record);
    const mailbox = place && this.#places.find(place);
    const known = mailbox && await this.#read(mailbox, this.#yielder);
    if (mailbox === undefined || known === undefined) return 0;
    const removed = await this.#removeExpired(user, mailbox, known, fence);
    if (removed === 0 && known.mustWrite) {
      await this.#keeper(mailbox, known.version).write(known.messageIndex, known.listed);
    }
    return removed;
  }

  async removeAbandoned(user: string, record?: UserRecord): Promise<number> {
    await this.#places.answers(user, record);
    const place = this.#places.of(user, record);
    const elsewhere = await this.#elsewhere(place);
    if (elsewhere !== undefined) return await elsewhere.removeAbandoned(user, record);
    const mailbox = place && this.#places.find(place);
    if (mailbox === undefined) return 0;
    return await removeAbandoned(mailbox, this.#options.held, Date.now());
  }

  async #open(
    mailbox: Mailbox,
    known: Known | undefined,
    record: UserRecord | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Maildrop> {
    const { maxMessages, flagUpdates, trash = 0, warn, measureTimeout = Infinity } = this.#options;
    const task = this.#yielder.task(signal);
    const measuring = this.#yielder.task(signal, performance.now() + measureTimeout);
    const cache = this.#keeper(mailbox, known?.version);
    const keep = (messageIndex: MessageIndex): Promise<void> => cache.write(messageIndex);
    const held = new HeldMailbox(mailbox, this.#options.held);
    const trust = new FileTrust(mailbox, held);
    const uidl = this.#empty.hasAll(mailbox) ? undefined : await SessionUidl.read(mailbox, {
      account: this.#options.account,
      files: known?.messageIndex.length ?? likelyRows(mailbox),
      without: this.#withoutIds,
      task,
      warnings: this.#warnings,
    });
    const how = {
      // Which are the first is told by their places, where they have some.
      maxMessages: uidl === undefined ? maxMessages : 0,
      ...{ warn, task, measuring, keep, trust, empty: this.#empty },
      respell: flagUpdates ? () => respell(mailbox, held, warn) : undefined,
    };
    const scan = await scanMailbox(mailbox, known?.messageIndex, known?.listed !== undefined, how);
    const { messageIndex, served, listed } = scan;
    const named = await nameMessages(mailbox, messageIndex, served, task, uidl?.names());
    const { changed, kept } = named;
    const messages = firstOf(mailbox, named.messages, maxMessages, warn);
    if (kept !== undefined) {
      uidl?.writeSoon(kept);
      await kept.pack(task);
    }
    const canSpareListing = listed !== undefined && mailbox.layout === "maildir" &&
      messageIndex.length >= WORTH_LISTING_ONCE && looksSettled(mailbox);
    const isNews = scan.changed || changed || canSpareListing || known?.mustWrite;
    if (isNews) cache.writeSoon(messageIndex, listed ?? known?.listed, scan.journal);
    const isSame = known !== undefined && !isNews && served.length === messageIndex.length;
    const { running } = this.#options;
    const yielder = this.#yielder;
    return new FolderMaildrop({
      mailbox,
      messageIndex,
      messages,
      cache,
      uidl,
      held,
      trust,
      trash: (record?.trash ?? trash) > 0,
      flagUpdates,
      yielder,
      probe: this.#probe,
      running,
      warn,
      ...isSame && { unchanged: () => this.#recent.put(mailbox, messageIndex, known.cache) },
    });
  }

  /** The store that serves a mailbox which answered, where it is not to be served here: what is done here stops the thread while it lasts. */
  async #elsewhere(place: MailboxPlace | undefined): Promise<MailStore | undefined> {
    const { slow } = this.#options;
    const found = place && slow && this.#probe.slowPlace(place.path);
    return found && await slow(place.path, found);
  }

  async #read(mailbox: Mailbox, task: YieldingTask): Promise<Known | undefined> {
    const { expireDays, running } = this.#options;
    // When the mailbox was found; what the cache lists is held against how it looked then.
    const at = performance.now();
    let cached = this.#recent.take(mailbox, running) ??
      await readCache(mailbox, running, likelyRows(mailbox), task);
    if (cached === "too-many") {
      // Not every file system tells how big a folder is.
      const { names } = await listMailbox(mailbox, task);
      cached = await readCache(mailbox, running, mostRows(names.length), task);
    }
    if (cached === undefined || cached === "too-many") return undefined;
    const { contents: { messageIndex, stamps, origin }, version, begunAnew } = cached;
    // The layout changed, or somebody else's cache was put here.
    if (!messageIndex.folders.every((folder) => mailbox.folders.has(folder as Folder))) {
      return undefined;
    }
    if (expireDays > 0 && begunAnew > 0) this.#warnings.begunAnew(mailbox, begunAnew);
    return {
      messageIndex,
      version,
      cache: cached,
      listed: isListingValid(mailbox, stamps) ? { at } : undefined,
      mustWrite: begunAnew > 0 || (expireDays > 0 && mustShow(messageIndex, origin, running.now())),
    };
  }

  /** Removes what was retrieved long enough ago; tells how many messages went. */
  async #removeExpired(
    user: string,
    mailbox: Mailbox,
    known: Known,
    fence: RaiseFence | undefined,
  ): Promise<number> {
    const { expireDays, warn } = this.#options;
    if (expireDays === 0) return 0;
    const { messageIndex, version } = known;
    const before = this.#options.running.now() - expireDays * MILLISECONDS_A_DAY;
    const held = new HeldMailbox(mailbox, this.#options.held);
    const task = this.#yielder;
    const removal = await removeExpired({
      mailbox,
      messageIndex,
      held,
      before,
      task,
      fence,
      warn,
    });
    if (removal === undefined) return 0;
    const { removed, unlinked } = removal;
    for (const row of removed) {
      const uid = maildirId(messageIndex.idPart(row));
      this.#options.deleted?.(user, { uid, size: messageIndex.size[row]! });
    }
    if (removed.size > 0) {
      const kept = await messageIndex.without(removed, task);
      await this.#keeper(mailbox, version).write(kept);
    }
    return unlinked;
  }

  #keeper(mailbox: Mailbox, version: CacheVersion | undefined): CacheKeeper {
    const cannotWrite = (reason: Error): void => this.#warnings.notWritable(mailbox, reason);
    const { running } = this.#options;
    return new CacheKeeper({ mailbox, running, version, cannotWrite, task: this.#yielder });
  }

  /**
   * Makes what a Maildir lacks: without `cur/` nothing can be marked seen, and what another program moves to a `cur/` that it made meanwhile
   * would not be found again.
   */
  async #complete(mailbox: Mailbox): Promise<Mailbox> {
    const [present, other] = [...mailbox.folders.values()];
    if (mailbox.layout === "plain" || present === undefined || other !== undefined) return mailbox;
    try {
      if (mailbox.writers === "server") completeMaildir(mailbox.path, present.path);
      else await new HeldMailbox(mailbox, this.#options.held).complete();
    } catch (error) {
      if (!isFileError(error) && !(error instanceof NoHelperError)) throw error;
      this.#warnings.notWritable(mailbox, error);
      return mailbox;
    }
    return this.#places.find({ ...mailbox, base: mailbox.root }) ?? mailbox;
  }
}
