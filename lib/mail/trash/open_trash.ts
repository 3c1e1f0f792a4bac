/** Makes the trash of the mailboxes that some settings name. */

import type { HeldFolders } from "../../contracts/held_folders.ts";
import { logger } from "../../log/logging.ts";
import { readPlace } from "../naming/place_template.ts";
import { readIds } from "../places/file_ids.ts";
import { mailRoots } from "../places/mail_roots.ts";
import type { StoreSettings } from "../store_settings.ts";
import { MailboxTrash } from "./mailbox_trash.ts";

const log = logger("mail");

/** @param options.account the user id that the server runs under */
export function openTrash(
  settings: StoreSettings,
  { account, held }: {
    readonly account: number;
    readonly held: (root: string, homes: readonly string[]) => HeldFolders;
  },
): MailboxTrash {
  const { maildir, homes } = mailRoots(settings);
  const { defaultDomain, mailbox } = settings;
  return new MailboxTrash({
    root: maildir.real,
    given: maildir.given,
    homes,
    template: mailbox === undefined ? undefined : readPlace(mailbox),
    ids: readIds(settings.ids, account),
    ...defaultDomain !== undefined && { defaultDomain },
    account,
    held: held(maildir.real, homes.map(({ real }) => real)),
    warn: (message, properties) => log.warn(message, properties ?? {}),
  });
}
