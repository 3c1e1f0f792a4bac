/** Tells plain folders of mail from folders with somebody's own files, which must be neither listed nor deleted. */

import { printable } from "../../bytes/printable.ts";
import { MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { isNotFound } from "../../files/file_error.ts";
import type { Mailbox } from "./mailbox.ts";
import { Mark, type MessageIndex } from "./message_index.ts";
import type { OpenFile } from "./regular_file.ts";

/** Octets at a file's beginning that tell whether it is mail. */
const HEAD = 4096;
/** An empty file of this name in a plain folder says that each of its files is a message, whatever it reads like. */
const DECLARATION = ".postern-plain";
/** Names that only mail has: of exported messages, and of Maildirs (delivery time, a part with digits, machine). */
const MAIL_NAME = /\.eml$|^\d{9,10}\.(?=[^.]*\d)[^.]+\.[^.]/i;
/** What mbox writes before a message: an address, or none, and a time. */
const MBOX_LINE = /^From [^\n]*\d\d?:\d\d/;
/** A header field's name (RFC 5322, section 3.6.8); a blank before the colon is old mail (section 4.5). */
const FIELD_NAME = /^([!-9;-~]+)[ \t]*:/;
/** Names of header fields, in lower case, of which every message has one. */
const FIELDS: ReadonlySet<string> = new Set([
  ...["apparently-to", "authentication-results", "bcc", "cc", "content-type", "date"],
  ...["delivered-to", "delivery-date", "dkim-signature", "domainkey-signature", "envelope-to"],
  ...["errors-to", "from", "in-reply-to", "message-id", "mime-version", "precedence"],
  ...["received", "received-spf", "references", "reply-to", "return-path", "sender"],
  ...["status", "subject", "to"],
]);
/** What names of other header fields of mail begin with. */
const FIELD_FAMILIES = /^(?:arc|content|list|resent|x)-/;

/**
 * Whether a file's beginning reads like a message: header fields, of which one is mail's, or what mbox writes before them.
 *
 * @param head its first octets
 */
export function readsLikeMail(head: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(head);
  if (MBOX_LINE.test(text)) return true;
  for (const line of text.split("\n")) {
    const name = FIELD_NAME.exec(line)?.[1]?.toLowerCase();
    if (name === undefined) {
      if (/^[ \t]/.test(line) && line !== text) continue;
      return false;
    }
    if (FIELDS.has(name) || FIELD_FAMILIES.test(name)) return true;
  }
  return false;
}

/** Makes sure of one plain folder that it holds nothing but mail. What was found to be mail is marked, and not read again. */
export class PlainMail {
  readonly #mailbox: Mailbox;
  readonly #head = new Uint8Array(HEAD);
  #isDeclared: boolean | undefined;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** Whether a row's file need not be looked into: it was before, or is empty. */
  isJudged(messageIndex: MessageIndex, row: number): boolean {
    return (messageIndex.marks[row]! & Mark.MAIL) !== 0 || messageIndex.storedSize[row] === 0;
  }

  /**
   * Judges a row's open file, which is at its beginning before and after.
   *
   * @param size octets of the file; what is empty is left to {@linkcode PlainMail.checkEmpty}
   * @throws {MaildropUnreadableError} when it is no mail
   */
  judge(messageIndex: MessageIndex, row: number, file: OpenFile, size: number): void {
    messageIndex.marks[row]! &= ~Mark.MAIL;
    const name = messageIndex.names.at(row);
    if (!MAIL_NAME.test(name)) {
      if (size === 0) return;
      const octets = file.readSync(this.#head) ?? 0;
      file.rewind();
      if (!readsLikeMail(this.#head.subarray(0, octets))) this.#unlessDeclared(name);
    }
    messageIndex.marks[row]! |= Mark.MAIL;
  }

  /**
   * Makes sure that empty files, which read like nothing, lie beside mail.
   *
   * @param end rows that were looked at
   * @param leftOut whether a row is not served
   * @throws {MaildropUnreadableError} when they do not
   */
  checkEmpty(messageIndex: MessageIndex, end: number, leftOut: (row: number) => boolean): void {
    let empty: number | undefined;
    for (let row = 0; row < end; row++) {
      if (leftOut(row)) continue;
      const isMail = (messageIndex.marks[row]! & Mark.MAIL) !== 0;
      if (isMail || MAIL_NAME.test(messageIndex.names.at(row))) return;
      empty ??= row;
    }
    if (empty !== undefined) this.#unlessDeclared(messageIndex.names.at(empty));
  }

  #unlessDeclared(name: string): void {
    const { path } = this.#mailbox;
    this.#isDeclared ??= isFile(`${path}/${DECLARATION}`);
    if (this.#isDeclared) return;
    throw new MaildropUnreadableError(
      `${path} holds ${
        printable(name, 200)
      }, which does not look like mail, so that none of its files is served or deleted. ` +
        `Move that file to another folder or, if every file there is a message, create an empty file ${DECLARATION} beside it.`,
    );
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
