/** Finds and reads another server's list of unique-ids for one mailbox. */

import { basename } from "node:path";
import { fileErrorReason, isFileError, isNotFound } from "../files/file_error.ts";
import { NotRegularError } from "../mail/folder/regular_file.ts";
import { readOwn } from "../mail/uidl/uidl_files.ts";
import { DamagedLinesError } from "../mail/uidl/uidl_lines.ts";
import { readCourierList } from "./formats/courier_list.ts";
import { readDovecotList } from "./formats/dovecot_uidlist.ts";
import { listFromNames, readPlainList } from "./formats/plain_list.ts";
import type { UidlFormat } from "./formats/uidl_format.ts";
import { type IdList, IdListError, MOST_LIST_OCTETS } from "./id_list.ts";
import { ALONE, type MailPlace, type OpenIds } from "./mailbox_ids.ts";

/** Forms of lists that are files, or nothing but names; in the order in which they are looked for. */
export const LIST_FORMATS = ["dovecot", "courier", "qmail", "tpop3d", "teapop", "list"] as const;
/** One of {@linkcode LIST_FORMATS}. */
export type ListFormat = typeof LIST_FORMATS[number];

/** Where servers keep them, in the Maildir. */
const FILES: Readonly<Partial<Record<ListFormat, string>>> = {
  dovecot: "dovecot-uidlist",
  courier: "courierpop3dsizelist",
};

/** Which list. */
export interface FindListOptions {
  readonly from: ListFormat | "auto";
  /** The file, or its folder; undefined for the Maildir's own. */
  readonly file: string | undefined;
  readonly uidlFormat: UidlFormat;
}

/** A list, and what it was. */
export interface FoundList {
  readonly list: IdList;
  readonly from: ListFormat;
  /** Where it was read; undefined where it was made from names. */
  readonly path: string | undefined;
}

/**
 * Reads a mailbox's list.
 *
 * @returns undefined when `auto` finds none
 * @throws {IdListError} when it cannot be read, or is none
 */
export async function findList(
  open: OpenIds,
  place: MailPlace,
  options: FindListOptions,
): Promise<FoundList | undefined> {
  const { from, file, uidlFormat } = options;
  if (from === "qmail" || from === "tpop3d" || from === "teapop") {
    return { list: listFromNames(namesOf(open), from), from, path: undefined };
  }
  if (file !== undefined) {
    const path = inFolder(file, from);
    const text = await readGiven(path);
    const form = from === "auto" ? recognize(path, text) : from;
    return { list: read(text, form, uidlFormat, path), from: form, path };
  }
  for (const [form, name] of Object.entries(FILES) as [ListFormat, string][]) {
    if (from !== "auto" && from !== form) continue;
    const path = `${open.mailbox.path}/${name}`;
    const text = await readOfMailbox(open, path, place.account);
    if (text !== undefined) {
      return { list: read(text, form, uidlFormat, path), from: form, path };
    }
    if (from === form) throw new IdListError(`there is no ${path}; name it with --file`);
  }
  if (from === "auto") return undefined;
  throw new IdListError(`a ${from} is named with --file`);
}

function* namesOf({ index }: OpenIds): Generator<string> {
  for (let row = 0; row < index.length; row++) yield index.names.at(row);
}

function read(text: string, form: ListFormat, uidlFormat: UidlFormat, path: string): IdList {
  try {
    if (form === "dovecot") return readDovecotList(text, uidlFormat);
    return form === "courier" ? readCourierList(text) : readPlainList(text);
  } catch (error) {
    if (!(error instanceof IdListError)) throw error;
    throw new IdListError(`${path} cannot be taken: ${error.message}`, { cause: error });
  }
}

/** The folder of a CONTROL setting may be named in place of the file. */
function inFolder(path: string, from: ListFormat | "auto"): string {
  try {
    if (!Deno.statSync(path).isDirectory) return path;
  } catch (error) {
    if (isFileError(error)) return path;
    throw error;
  }
  const names = Object.entries(FILES).filter(([form]) => from === "auto" || from === form);
  const found = names.map(([, name]) => `${path}/${name}`).find(isThere);
  return found ?? `${path}/${names[0]?.[1] ?? ""}`;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

function recognize(path: string, text: string): ListFormat {
  if (/^(?:3 V|3 .* V|1 \d+ \d+\s)/.test(text.slice(0, 200))) return "dovecot";
  if (/^\/\d/.test(text)) return "courier";
  const known = Object.entries(FILES).find(([, name]) => name === basename(path));
  if (known !== undefined) return known[0] as ListFormat;
  throw new IdListError(
    `${path} is not recognized: say what it is by --from, one of ${LIST_FORMATS.join(", ")}`,
  );
}

/** A file that the administrator names. */
async function readGiven(path: string): Promise<string> {
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) throw new IdListError(`${path} is no regular file`);
    if (size > MOST_LIST_OCTETS) throw tooBig(path);
    return new TextDecoder().decode(await Deno.readFile(path));
  } catch (error) {
    if (!isFileError(error)) throw error;
    throw new IdListError(`${path} cannot be read: ${fileErrorReason(error)}`, { cause: error });
  }
}

/** A file of the mailbox, where its owner may have put anything. */
async function readOfMailbox(
  { mailbox }: OpenIds,
  path: string,
  account: number,
): Promise<string | undefined> {
  try {
    const found = await readOwn(mailbox, path, account, MOST_LIST_OCTETS, ALONE);
    return found && new TextDecoder().decode(found.octets);
  } catch (error) {
    if (error instanceof DamagedLinesError) throw tooBig(path);
    if (error instanceof NotRegularError) {
      throw new IdListError(`${path} cannot be used: ${error.message}`, { cause: error });
    }
    if (!isFileError(error)) throw error;
    throw new IdListError(`${path} cannot be read: ${fileErrorReason(error)}`, { cause: error });
  }
}

function tooBig(path: string): IdListError {
  return new IdListError(`${path} has more than 256 MiB, which are read at most`);
}
