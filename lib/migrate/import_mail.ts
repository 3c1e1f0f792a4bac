/** Takes messages of another server over into a user's Maildir: each once, however often it is repeated. */

import { createHash } from "node:crypto";
import type { HeldFolders } from "../contracts/held_folders.ts";
import { isNotFound } from "../files/file_error.ts";
import { IncomingMessage } from "../mail/delivery/incoming_message.ts";
import type { Mailbox } from "../mail/folder/mailbox.ts";
import { openRegular } from "../mail/folder/regular_file.ts";
import { identityPart, uniquePart } from "../mail/naming/maildir_name.ts";
import { HeldMailbox } from "../mail/held/held_mailbox.ts";
import type { Folder } from "../mail/folder/message_index.ts";
import { lookAtName } from "../mail/folder/file_look.ts";
import { readOwn, removeIfThere, replaceFile } from "../mail/uidl/uidl_files.ts";
import { headerHash } from "./header_hash.ts";
import type { ListedId } from "./id_list.ts";
import type { MailSource, SourceMessage } from "./mail_sources.ts";
import { ALONE, type OpenIds, pathOf } from "./mailbox_ids.ts";
import { type IdPlan, planIds } from "./plan_ids.ts";
import { undoIds, type UndoOutcome, writeIds } from "./write_ids.ts";

/** Names of what the last import brought, and since when sessions may have shown it. */
const UNDO_FILE = ".postern-mail.undo";
const CACHE_FILE = ".postern-cache";
/** Octets of the undo file that are read. */
const MOST_UNDO = 256 * 1024 * 1024;

/** What would become of a source's messages. */
export interface MailPlan {
  readonly messages: number;
  /** Names of those that are not there yet, by their number in the source. */
  readonly fresh: ReadonlyMap<number, string>;
  readonly ids: IdPlan;
  /** Messages that have an id. */
  readonly named: number;
  readonly refused: readonly string[];
}

/** Finds out which messages are there already, by their content, and what ids all would have. */
export async function planMail(open: OpenIds, source: MailSource): Promise<MailPlan> {
  const there = new Map<string, string[]>();
  for (let row = 0; row < open.index.length; row++) {
    const hash = contentHash(readWhole(pathOf(open, row)));
    there.set(hash, [...there.get(hash) ?? [], open.index.names.at(row)]);
  }
  const byId = new Map(open.lines?.map(({ id, key }) => [id, key]));
  const files = new Set(
    Array.from({ length: open.index.length }, (_, row) => identityPart(open.index.names.at(row))),
  );
  const fresh = new Map<number, string>();
  const entries: ListedId[] = [];
  let messages = 0;
  for (const message of source.messages()) {
    const number = ++messages;
    const key = message.id === undefined ? undefined : byId.get(message.id);
    const hash = contentHash(message.octets);
    // The same id, and its file is there; or the same content, each file once.
    let name = key !== undefined && files.has(identityPart(key)) ? key : there.get(hash)?.shift();
    if (name === undefined) {
      name = nameOf(message, number, hash);
      fresh.set(number, name);
    }
    if (message.id !== undefined) entries.push({ name, id: message.id, place: message.place });
  }
  const list = { entries, refused: [], notes: [], ordered: true };
  const ids = await planIds(open, list, { isOwn: true });
  return {
    messages,
    fresh,
    ids,
    named: entries.length,
    refused: [...source.refused, ...ids.refused],
  };
}

/** Who delivers. */
export interface MailWriting {
  readonly account: number;
  readonly held: HeldFolders;
  /** Told how far it has come. */
  readonly progress: (done: number) => void;
}

/** Writes ids first, then the messages: none is ever seen without its id. The caller holds the user's lock. */
export async function writeMail(
  open: OpenIds,
  source: MailSource,
  { fresh, ids }: MailPlan,
  { account, held, progress }: MailWriting,
): Promise<void> {
  const { mailbox } = open;
  const { uid, gid, mode } = Deno.lstatSync(mailbox.path);
  const isOther = uid !== null && gid !== null && uid !== account && account === 0;
  const names = new TextEncoder().encode([...fresh.values(), ""].join("\n"));
  await replaceFile(mailbox, [names], { name: UNDO_FILE, alone: true, task: ALONE });
  if (ids.lines !== undefined) await writeIds(mailbox, ids.lines, account);
  let number = 0;
  for (const { octets, flags, delivered } of source.messages()) {
    const name = fresh.get(++number);
    if (name === undefined) continue;
    await using incoming = await IncomingMessage.open({
      mailbox,
      name,
      held,
      owner: isOther ? { uid, gid } : undefined,
      mode: ((mode ?? 0) & 0o666) | 0o600,
      place: flags === undefined
        ? { folder: "new", name, time: delivered }
        : { folder: "cur", name: `${name}:2,${flags}`, time: delivered },
    });
    await incoming.write(octets);
    await incoming.deliver();
    progress(number);
  }
}

/**
 * Removes what the last import brought, and puts the ids back. The caller holds the user's lock.
 *
 * @returns how it ended, and how many messages were removed
 */
export async function undoMail(
  open: OpenIds,
  { account, held }: Pick<MailWriting, "account" | "held">,
  force: boolean,
): Promise<{ outcome: UndoOutcome; removed: number }> {
  const { mailbox, index } = open;
  const path = `${mailbox.path}/${UNDO_FILE}`;
  const found = await readOwn(mailbox, path, account, MOST_UNDO, ALONE);
  if (found === undefined) return { outcome: "nothing", removed: 0 };
  if (!force && timeOf(`${mailbox.path}/${CACHE_FILE}`) >= found.look.modified) {
    return { outcome: "shown", removed: 0 };
  }
  const ids = await undoIds(mailbox, account, force);
  if (ids === "shown") return { outcome: "shown", removed: 0 };
  const names = new Set(new TextDecoder().decode(found.octets).split("\n"));
  const helper = new HeldMailbox(mailbox, held);
  let removed = 0;
  for (let row = 0; row < index.length; row++) {
    if (!names.has(uniquePart(index.names.at(row)))) continue;
    await remove(open, row, helper);
    removed++;
  }
  removeIfThere(path);
  return { outcome: "undone", removed };
}

async function remove(open: OpenIds, row: number, helper: HeldMailbox): Promise<void> {
  const path = pathOf(open, row);
  if (open.mailbox.writers === "server") return await Deno.remove(path);
  const folder = open.index.folders[row] as Folder;
  const [answer] =
    (await helper.unlink([{ folder, name: open.index.names.at(row), look: lookAtName(path) }]))
      .answers;
  if (answer?.kind === "error") throw answer.error;
}

function timeOf(path: string): number {
  try {
    return Deno.lstatSync(path).mtime?.getTime() ?? 0;
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw error;
  }
}

/** A name that is the same each time, so that an import that was killed goes on where it was. */
function nameOf({ delivered }: SourceMessage, number: number, hash: string): string {
  const seconds = Math.max(0, Math.floor(delivered / 1000));
  return `${seconds}.M${String(number % 1_000_000).padStart(6, "0")}R${hash.slice(0, 16)}.imported`;
}

/** Header as {@linkcode headerHash} takes it, and the body with LF alone and without empty lines at its end. */
function contentHash(octets: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(octets).replaceAll("\r\n", "\n");
  const end = text.indexOf("\n\n");
  const header = end < 0 ? text : text.slice(0, end);
  const body = end < 0 ? "" : text.slice(end + 2).replace(/\n+$/, "");
  return createHash("sha256").update(headerHash(header.split("\n"))).update(body, "latin1")
    .digest("hex");
}

function readWhole(path: string): Uint8Array {
  const { file, look } = openRegular(path);
  using opened = file;
  const octets = new Uint8Array(look.size);
  for (let filled = 0; filled < octets.length;) {
    const count = opened.readSync(octets.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return octets;
}

/** What keeps mail from being taken into a mailbox; undefined for a Maildir. */
export function refuseMailbox({ layout, path }: Mailbox): string | undefined {
  return layout === "maildir" ? undefined : `${path} is no Maildir: mail is taken into Maildirs`;
}
