/** Removes deleted messages for good that were kept for long enough (`--trash`). */

import type { Settings } from "../contracts/settings.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import { logger } from "../log/logging.ts";
import type { MailboxTrash } from "../mail/trash/mailbox_trash.ts";

const log = logger("mail");

/** Sweeps one user's trash. @throws {Error} when the mailbox cannot be used */
export async function sweepTrash(
  trash: () => Pick<MailboxTrash, "sweep">,
  settings: Pick<Settings, "trash" | "logDeletes">,
  user: string,
  record: UserRecord | undefined,
): Promise<void> {
  const days = record?.trash ?? settings.trash;
  if (days === 0) return;
  for (const { uid, size } of await trash().sweep(user, record, days)) {
    if (!settings.logDeletes) continue;
    log.info("Deleted message {uid} of {user}: {size} octets, from the trash", { user, uid, size });
  }
}
