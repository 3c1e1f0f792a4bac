/** Users of an older layout: each is a folder of the mail folder, and the name of its `*.pwd` file is the password. */

import { createHash } from "node:crypto";
import { refuseUserName } from "../bytes/user_name.ts";
import { MaildropUnreadableError } from "../contracts/mail_store.ts";
import type { FoundUser, UserSource } from "../contracts/user_source.ts";
import { isFileError, isNotFound } from "../files/file_error.ts";
import { logger } from "../log/logging.ts";
import { mailboxPath } from "../mail/naming/mailbox_path.ts";
import { DEFAULT_ITERATIONS } from "./scram_keys.ts";
import { madeUpSalting } from "./source_directory.ts";

const log = logger("users");

const ENDING = ".pwd";

/** Where the users lie. */
export interface PwdFilesOptions {
  /** The mail folder now. */
  readonly maildir: () => string;
  readonly defaultDomain?: string | undefined;
  /** The installation's secret: keys the salts that are made up. */
  readonly secret: Uint8Array;
}

/** The users of `--pwd-files`, looked up at each login. */
export class PwdFiles implements UserSource {
  readonly costliestForeign = undefined;
  readonly #options: PwdFilesOptions;

  constructor(options: PwdFilesOptions) {
    this.#options = options;
  }

  async find(name: string): Promise<FoundUser | undefined> {
    const { maildir, defaultDomain, secret } = this.#options;
    const salting = madeUpSalting(secret, name, DEFAULT_ITERATIONS);
    const path = folderOf(name, maildir(), defaultDomain);
    const password = path === undefined ? undefined : await readPwdFile(path);
    if (password === undefined) return undefined;
    const print = createHash("sha256").update(secret).update(password).digest("hex");
    return { name, revision: `pwd ${print}`, ...salting, keys: [], clear: password };
  }

  /** The file is the only place of the password; its keys are derived anew where SCRAM asks for them. */
  learn(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * The password that a user's folder tells.
 *
 * @returns undefined when it has no such file, or more than one
 * @throws {Error} of the file system, when the folder cannot be read
 */
export async function readPwdFile(path: string): Promise<string | undefined> {
  const found: string[] = [];
  try {
    const { isDirectory } = await Deno.lstat(path);
    if (!isDirectory) return undefined;
    for await (const { name, isFile } of Deno.readDir(path)) {
      if (isFile && name.endsWith(ENDING) && name.length > ENDING.length) {
        found.push(name.slice(0, -ENDING.length));
      }
    }
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  if (found.length <= 1) return found[0];
  log.warn("{path} has {count} .pwd files; nobody can log in by them until there is one", {
    path,
    count: found.length,
  });
  return undefined;
}

/**
 * Every user of a mail folder who has a `*.pwd` file: `<user>`, or `<name>@<domain>` where it lies in a domain's folder.
 *
 * @throws {Error} of the file system, when a folder cannot be read
 */
export async function* pwdUsers(
  root: string,
  domain?: string,
): AsyncGenerator<{ readonly name: string; readonly password: string }> {
  for await (const entry of Deno.readDir(root)) {
    const name = domain === undefined ? entry.name : `${entry.name}@${domain}`;
    if (!entry.isDirectory || refuseUserName(name) !== undefined) continue;
    const path = `${root}/${entry.name}`;
    const password = await readPwdFile(path);
    if (password !== undefined) yield { name, password };
    else if (domain === undefined) yield* pwdUsers(path, entry.name);
  }
}

/** A user's folder; undefined where the name can have none. */
function folderOf(
  name: string,
  root: string,
  defaultDomain: string | undefined,
): string | undefined {
  try {
    return mailboxPath(name, { root, ...defaultDomain !== undefined && { defaultDomain } });
  } catch (error) {
    if (error instanceof MaildropUnreadableError || isFileError(error)) return undefined;
    throw error;
  }
}
