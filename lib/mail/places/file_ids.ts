/** Whose files are that the server makes (`--ids`). */

import type { FileIds } from "./make_mailbox.ts";

/** Highest number of an account; the one above stands for none. */
const MOST = 0xffff_fffe;

/**
 * Reads `keep` or `UID:GID`.
 *
 * @param account the user id that the server runs under: only root can give files away
 *
 * @throws {SyntaxError} when it is neither
 */
export function readIds(text: string, account = 0): FileIds {
  if (text === "keep") return account === 0 ? "keep" : "own";
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  const ids = { uid: Number(uid), gid: Number(gid) };
  if (ids.uid <= MOST && ids.gid <= MOST) return ids;
  throw new SyntaxError("keep, or the numbers UID:GID");
}
