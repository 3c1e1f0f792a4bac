/** A generation of workers: those that were started under the same permissions. */

import type { SessionSettings, Settings } from "../contracts/settings.ts";
import type { MailFolderLocks } from "../mail/mail_folder_lock.ts";
import { type MailRoots, mailRoots } from "../mail/places/mail_roots.ts";
import type { ListenOptions } from "../net/endpoint.ts";
import { type TransformerCommand, transformerCommand } from "./setting_checks.ts";
import { type WorkerPermissions, workerPermissions } from "./worker_permissions.ts";

/** What differs from one generation of workers to the next. Disposing gives its mail folder back. */
export interface Generation extends Disposable {
  readonly permissions: WorkerPermissions;
  /** The transformer's program and arguments, or undefined for none. */
  readonly transformer: TransformerCommand | undefined;
  /** Where mailboxes may lie. */
  readonly roots: MailRoots;
  /** The same by their real paths, the mail folder first. */
  readonly folders: readonly [maildir: string, ...homes: string[]];
  /** The settings that its permissions fit; those who outlive a change keep them. */
  readonly settings: Pick<SessionSettings, "maildir" | "transformer">;
}

/** What a generation is made from. */
export interface GenerationOptions {
  readonly settings: Settings;
  readonly listen: readonly ListenOptions[];
  /** The variable PATH, where the transformer's program is looked for. */
  readonly path: string;
  readonly folders: MailFolderLocks;
}

/**
 * Finds out what workers may touch under these settings, and takes their mail folder.
 *
 * @throws {StartError} when another process serves the mail folder
 * @throws {Error} when the mail folder or the program is gone
 */
export async function newGeneration(options: GenerationOptions): Promise<Generation> {
  const { settings, listen, path, folders } = options;
  const transformer = await transformerCommand(settings, path);
  const roots = mailRoots(settings);
  const maildir = roots.maildir.real;
  const homes = roots.homes.map(({ real }) => real);
  const lock = await folders.take(maildir);
  return {
    permissions: workerPermissions({ listen, maildir, homes }),
    transformer,
    roots,
    folders: [maildir, ...homes],
    settings: { maildir, transformer: settings.transformer },
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}
