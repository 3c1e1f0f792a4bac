/** Messages of other servers with what they tell of times, flags and unique-ids: an mbox, a Cyrus folder, single files. */

import { refuseId } from "../mail/uidl/uidl_lines.ts";
import { IdListError } from "./id_list.ts";
import { headerField, mboxMessages } from "./mbox.ts";

/** Forms of mail. */
export const MAIL_FORMATS = ["mbox", "cyrus", "eml"] as const;
/** One of {@linkcode MAIL_FORMATS}. */
export type MailFormat = typeof MAIL_FORMATS[number];

/** A message of another server. */
export interface SourceMessage {
  readonly octets: Uint8Array;
  /** Milliseconds since 1970. */
  readonly delivered: number;
  /** Maildir's letters, in order; undefined for mail that nobody has looked at. */
  readonly flags: string | undefined;
  /** The id by which clients know it; undefined where it has none. */
  readonly id: string | undefined;
  /** Where it stands, for messages. */
  readonly place: string;
}

/** All messages, and what of ids cannot be taken. */
export interface MailSource {
  /** The messages, one after the other, in the order in which the other server numbered them. */
  messages(): Generator<SourceMessage>;
  /** Ids that are refused, as sentences. */
  readonly refused: readonly string[];
}

/** `uidl_format` of Cyrus. */
const CYRUS_FORMATS: Readonly<Record<string, (validity: number, uid: number) => string>> = {
  uidonly: (_validity, uid) => `${uid}`,
  cyrus: (validity, uid) => `${validity}.${uid}`,
  dovecot: (validity, uid) => `${hex(uid)}${hex(validity)}`,
  courier: (validity, uid) => `${validity}-${uid}`,
};
/** The names of Cyrus's `uidl_format`. */
export const CYRUS_UIDL_FORMATS: readonly string[] = Object.keys(CYRUS_FORMATS);

const hex = (number: number): string => number.toString(16).padStart(8, "0");

/**
 * Opens an mbox. Ids are UW's (`X-IMAP` in the first message, `X-UID` in each) or Qpopper's (`X-UIDL`).
 *
 * @throws {MboxError} when it is none
 */
export function openMbox(path: string): MailSource {
  const refused: string[] = [];
  const ids = new Map<string, number>();
  let validity: number | undefined;
  let number = 0;
  for (const { header } of mboxMessages(path)) {
    number++;
    if (number === 1) validity = uidvalidityOf(header);
    const id = idOf(header, validity);
    if (id === undefined) continue;
    const refusal = refuseId(id);
    if (refusal !== undefined) refused.push(`message ${number}: ${refusal}`);
    const count = (ids.get(id) ?? 0) + 1;
    ids.set(id, refusal === undefined ? count : 2);
    // Senders can write this header, too, so none of two is believed.
    if (count > 1) refused.push(`message ${number}: another message has the same id`);
  }
  return {
    refused,
    *messages(): Generator<SourceMessage> {
      let at = 0;
      for (const { octets, header, delivered } of mboxMessages(path)) {
        at++;
        if (at === 1 && isInternal(header)) continue;
        const id = idOf(header, validity);
        yield {
          octets,
          delivered: delivered ?? dateOf(header) ?? Date.now(),
          flags: flagsOf(header),
          id: id !== undefined && ids.get(id) === 1 ? id : undefined,
          place: `message ${at}`,
        };
      }
    },
  };
}

function uidvalidityOf(header: readonly string[]): number | undefined {
  const field = headerField(header, "x-imap") ?? headerField(header, "x-imapbase");
  const [validity] = /^\d{1,10}/.exec(field ?? "") ?? [];
  return validity === undefined ? undefined : Number(validity);
}

function idOf(header: readonly string[], validity: number | undefined): string | undefined {
  if (validity === undefined) return headerField(header, "x-uidl") || undefined;
  const uid = headerField(header, "x-uid");
  if (uid === undefined || !/^\d{1,10}$/.test(uid) || Number(uid) === 0) return undefined;
  return `${hex(validity)}${hex(Number(uid))}`;
}

/** UW's first message, which holds its own data. */
function isInternal(header: readonly string[]): boolean {
  return headerField(header, "x-imap") !== undefined &&
    /DON'T DELETE THIS MESSAGE/.test(headerField(header, "subject") ?? "");
}

/** Status: R was read, O is old; X-Status: A answered, F flagged, D deleted, T draft. */
function flagsOf(header: readonly string[]): string | undefined {
  const status = headerField(header, "status") ?? "";
  const more = headerField(header, "x-status") ?? "";
  const flags = [
    more.includes("T") ? "D" : "",
    more.includes("F") ? "F" : "",
    more.includes("A") ? "R" : "",
    status.includes("R") ? "S" : "",
    more.includes("D") ? "T" : "",
  ].join("");
  return flags === "" && !status.includes("O") ? undefined : flags;
}

function dateOf(header: readonly string[]): number | undefined {
  const time = Date.parse(headerField(header, "date") ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/** What `mbexamine` tells of a Cyrus mailbox, or the administrator says. */
export interface CyrusIds {
  /** The text of mbexamine's answer. */
  readonly examined: string;
  /** `uidl_format`; undefined for what mbexamine tells. */
  readonly format: string | undefined;
}

/**
 * Opens a folder of Cyrus's spool, whose messages are the files `<uid>.`.
 *
 * @param ids undefined where nothing tells them
 * @throws {IdListError} when mbexamine's answer tells no uidvalidity
 */
export function openCyrus(path: string, ids: CyrusIds | undefined): MailSource {
  const makeId = ids && cyrusIds(ids);
  const uids = [...Deno.readDirSync(path)]
    .filter(({ name, isFile }) => isFile && /^[1-9]\d{0,9}\.$/.test(name))
    .map(({ name }) => Number(name.slice(0, -1))).sort((a, b) => a - b);
  return {
    refused: [],
    *messages(): Generator<SourceMessage> {
      for (const uid of uids) {
        yield fileMessage(`${path}/${uid}.`, makeId?.(uid), `message ${uid}`);
      }
    },
  };
}

function cyrusIds({ examined, format }: CyrusIds): (uid: number) => string {
  const [, validity] = /UIDValidity:\s*(\d{1,10})/i.exec(examined) ?? [];
  if (validity === undefined) {
    throw new IdListError("mbexamine's answer tells no UIDValidity");
  }
  const isNew = /Mailbox Options:.*POP3_NEW_UIDL/i.test(examined);
  const make = isNew ? CYRUS_FORMATS[format ?? "cyrus"]! : CYRUS_FORMATS.uidonly!;
  return (uid) => make(Number(validity), uid);
}

/** Opens single files, or a folder of such: each is a message. */
export function openEml(path: string): MailSource {
  const paths = Deno.statSync(path).isDirectory
    ? [...Deno.readDirSync(path)].filter(({ name, isFile }) => isFile && !name.startsWith("."))
      .map(({ name }) => `${path}/${name}`).sort()
    : [path];
  return {
    refused: [],
    *messages(): Generator<SourceMessage> {
      for (const each of paths) yield fileMessage(each, undefined, each);
    },
  };
}

function fileMessage(path: string, id: string | undefined, place: string): SourceMessage {
  const delivered = Deno.statSync(path).mtime?.getTime() ?? Date.now();
  return { octets: Deno.readFileSync(path), delivered, flags: undefined, id, place };
}
