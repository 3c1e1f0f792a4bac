/** What is known of a user beside name and secrets: where the mailbox lies, and what holds for this user alone. */

/** Facts of one user; those that are absent are as the settings say. */
export interface UserRecord {
  /** Where the mailbox lies: a place as `--mailbox` takes it. */
  readonly mailbox?: string;
  /** The home folder, an absolute path. */
  readonly home?: string;
  /** The folder of the mailbox that this session asked for (`ada/Junk`), as Maildir++ writes it: `Junk`, `Lists.Deno`. */
  readonly folder?: string;
  /** Octets of mail that the user may have; 0 for no limit. */
  readonly quota?: number;
  /** Days that deleted messages are kept; 0 for none. */
  readonly trash?: number;
  /** What becomes of DELE: see `--deletes`. */
  readonly deletes?: "allow" | "refuse" | "keep";
}
