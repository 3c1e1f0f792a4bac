/** Backups of the state, as administrators ask for them: into one folder, under new names, so that nothing else can be written by them. */

import {
  type BackupInfo,
  type BackupManagement,
  ManagementError,
} from "../contracts/management.ts";
import { logger } from "../log/logging.ts";
import { type BackupContents, BackupError, makeBackup } from "../state/backup.ts";
import type { BackupSource } from "../contracts/state_store.ts";

const log = logger("management");

/** A file's name: no folder, nothing hidden, nothing that a shell or a terminal would act on. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** What SQLite takes for a part of the database whose name stands before it. */
const SIDE_FILE = /-(?:wal|shm|journal)$/;

/** What backups are made with. */
export interface StateBackupsOptions {
  /** Absent where the state is in a database, which its own tools back up. */
  readonly source: BackupSource | undefined;
  /** Where they are kept. */
  readonly folder: () => string;
  /** See {@linkcode BackupOptions.finish}. */
  readonly finish?: (path: string, name: string) => BackupContents | Promise<BackupContents>;
  /** @default {Date.now} */
  readonly now?: () => number;
}

/** Makes backups of the state. Disposing ends one that is under way. */
export class StateBackups implements BackupManagement, Disposable {
  readonly #options: StateBackupsOptions;
  readonly #end = new AbortController();

  constructor(options: StateBackupsOptions) {
    this.#options = options;
  }

  async make(name?: string): Promise<BackupInfo> {
    const { source, folder, finish, now = Date.now } = this.#options;
    if (source === undefined) {
      throw new ManagementError(
        "The state is in a database: back it up with the database's own tools (pg_dump, pg_basebackup)",
      );
    }
    const time = new Date(now()).toISOString().replace(/[-:]/g, "").replace(".", "-");
    const given = name ?? `postern-${time}.db`;
    if (!NAME.test(given) || SIDE_FILE.test(given)) {
      throw new ManagementError(
        "Invalid name: expected a file name of at most 100 letters, digits, dots, underscores and hyphens, beginning " +
          "with a letter or a digit, and not ending in -wal, -shm or -journal",
      );
    }
    try {
      const backup = await makeBackup({
        source,
        folder: folder(),
        name: given,
        signal: this.#end.signal,
        ...finish && { finish },
      });
      log.info("The state was backed up to {path}", { ...backup });
      return backup;
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      log.error("The state could not be backed up: {error}", { error });
      throw new ManagementError(error.message, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    this.#end.abort();
  }
}
