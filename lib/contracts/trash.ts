/** What administrators can do to deleted messages that are kept for a while. */

/** A deleted message that is kept for a while. */
export interface DeletedMessage {
  /** When it was deleted; milliseconds since 1970. */
  readonly at: number;
  readonly uid: string;
  /** Octets as sent. */
  readonly size: number;
  /** The session and the address of who deleted it; empty where that is not known. */
  readonly by: string;
  readonly subject: string;
}

/** Which deleted messages are meant. */
export type TrashSelection =
  | { readonly kind: "all" }
  | { readonly kind: "since"; /** Milliseconds since 1970. */ readonly at: number }
  | { readonly kind: "uids"; readonly uids: readonly string[] };

/** Deleted messages. Each call rejects with ManagementError when a mailbox cannot be used. */
export interface TrashManagement {
  /** Of a user, the oldest first; undefined when there is no such user. */
  list(user: string): Promise<readonly DeletedMessage[] | undefined>;
  /** Puts messages back, with their unique-ids. @returns how many; undefined when there is no such user */
  restore(user: string, selection: TrashSelection): Promise<number | undefined>;
  /** Removes messages for good. @returns how many; undefined when there is no such user */
  purge(user: string, selection: TrashSelection): Promise<number | undefined>;
}
