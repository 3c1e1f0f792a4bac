/** Looks at users' mailboxes without opening a session: where each lies, what it holds, and what would keep it from being served. */

import { fileErrorReason, isFileError } from "../../files/file_error.ts";
import { MaildropUnavailableError, MaildropUnreadableError } from "../../contracts/mail_store.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import { findMailbox, type Mailbox } from "../folder/mailbox.ts";
import { Folder } from "../folder/message_index.ts";
import {
  type MailboxPathOptions,
  type MailboxPlace,
  mailboxPlace,
} from "../naming/mailbox_path.ts";

/** What is known of a user's mailbox. */
export interface CheckedMailbox {
  readonly user: string;
  /** Undefined where it cannot be told. */
  readonly path: string | undefined;
  /** `absent`: it is made at the first login. */
  readonly layout: "maildir" | "plain" | "absent" | undefined;
  /** Files that may be messages. */
  readonly messages: number;
  /** Those of them that no program has seen. */
  readonly fresh: number;
  /** What keeps it from being served, as a sentence. */
  readonly problem: string | undefined;
}

/** Looks at mailboxes one by one, and remembers whose they are. */
export class MailboxChecks {
  readonly #options: MailboxPathOptions;
  readonly #account: number;
  readonly #owners = new Map<string, string>();

  /** @param account the user id that the server runs under */
  constructor(options: MailboxPathOptions, account: number) {
    this.#options = options;
    this.#account = account;
  }

  /** Looks at one user's. */
  check(user: string, record: UserRecord | undefined): CheckedMailbox {
    const nothing = { user, path: undefined, layout: undefined, messages: 0, fresh: 0 };
    let place: MailboxPlace | undefined;
    try {
      place = mailboxPlace(user, record, this.#options);
      if (place === undefined) return { ...nothing, problem: "The name can be no mailbox's" };
      const { path } = place;
      const owner = this.#owners.get(path);
      this.#owners.set(path, owner ?? user);
      const found = this.#look(user, place);
      if (owner === undefined) return found;
      return { ...found, problem: found.problem ?? `${owner} has the same mailbox` };
    } catch (error) {
      return { ...nothing, path: place?.path, problem: sentence(error) };
    }
  }

  /**
   * Folders of the mail folder that are nobody's only since names are folded: `Example.ORG` where the domain is `example.org`.
   */
  unusedSpellings(): string[] {
    const { root } = this.#options;
    const used = new Set(
      [...this.#owners.keys()]
        .filter((path) => path.startsWith(`${root}/`))
        .map((path) => path.slice(root.length + 1).split("/")[0]!),
    );
    return [...Deno.readDirSync(root)]
      .filter(({ isDirectory, name }) => isDirectory && !name.startsWith("."))
      .map(({ name }) => name)
      .filter((name) => !used.has(name) && used.has(name.toLowerCase()))
      .map((name) => `${root}/${name}`);
  }

  #look(user: string, { path, root, base }: MailboxPlace): CheckedMailbox {
    const mailbox = findMailbox(path, { root, account: this.#account });
    if (mailbox !== undefined) return { user, path, ...contentsOf(mailbox) };
    const problem = isFolder(base)
      ? undefined
      : `The folder ${base} is not there, so no mailbox can be made in it`;
    return { user, path, layout: "absent", messages: 0, fresh: 0, problem };
  }
}

function contentsOf(
  { layout, folders, shared }: Mailbox,
): Pick<CheckedMailbox, "layout" | "messages" | "fresh" | "problem"> {
  let [messages, fresh] = [0, 0];
  for (const [folder, { path }] of folders) {
    let first: string | undefined;
    for (const { name, isFile } of Deno.readDirSync(path)) {
      if (!isFile || name.startsWith(".")) continue;
      first ??= name;
      messages++;
      if (folder === Folder.NEW) fresh++;
    }
    // One tells of all: a program that delivers gives all its files the same owner and mode.
    if (first !== undefined) Deno.openSync(`${path}/${first}`).close();
  }
  const problem = shared === undefined
    ? undefined
    : `Others than the server can rename folders in ${shared}`;
  return { layout, messages, fresh, problem };
}

function isFolder(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (isFileError(error)) return false;
    throw error;
  }
}

function sentence(error: unknown): string {
  if (error instanceof MaildropUnreadableError || error instanceof MaildropUnavailableError) {
    return error.message;
  }
  if (!isFileError(error)) throw error;
  return `It cannot be read: ${fileErrorReason(error)}`;
}
