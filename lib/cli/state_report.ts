/** What `postern backup` and `postern restore` share: how they say what they did, or why not. */

import { type Backup, BackupError } from "../state/backup.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { complain, print } from "../terminal/output.ts";
import { json, safe } from "../terminal/safe_text.ts";

/** What was done. */
export interface Done {
  /** A sentence for people. */
  readonly text: string;
  /** The same for programs. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Does something to a state file, and says how it ended.
 *
 * @returns the exit status: 0 done, 1 it could not be done
 */
export async function reportOn(asJson: boolean, work: () => Promise<Done>): Promise<number> {
  try {
    const { text, values } = await work();
    print(`${asJson ? json({ ok: true, ...values }) : safe(text)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof BackupError) && !(error instanceof StateStoreError)) throw error;
    if (asJson) print(`${json({ ok: false, message: error.message })}\n`);
    complain(`postern: ${safe(error.message)}`);
    return 1;
  }
}

/** What a backup holds and where it is, as a sentence. */
export function backupSentence({ path, users, administrators }: Omit<Backup, "octets">): string {
  const contents = `${count(users, "user")} and ${count(administrators, "administrator")}`;
  return `Backed up ${contents} to ${path}`;
}

/** How many of something there are: `1 user`, `12 users`. */
export function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? "" : "s"}`;
}
