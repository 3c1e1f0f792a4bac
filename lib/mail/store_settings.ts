/** What a mail store is told of the settings: nothing that is secret. */

import type { SessionSettings } from "../contracts/settings.ts";
import type { MailRoots } from "./places/mail_roots.ts";

const KEYS = [
  "maildir",
  "mailbox",
  "homes",
  "ids",
  "defaultDomain",
  "maxMessages",
  "expire",
  "trash",
  "logDeletes",
  "noFlagUpdates",
  "timeout",
] as const;

/** The settings that a mail store goes by. */
export type StoreSettings = Pick<SessionSettings, typeof KEYS[number]>;

/** Nothing but these, of settings that may hold more. */
export function storeSettings(settings: StoreSettings): StoreSettings {
  return Object.fromEntries(KEYS.map((key) => [key, settings[key]])) as unknown as StoreSettings;
}

/** What a store of another thread is made with: one and the same object as long as it is in force. */
export interface RootedSettings {
  readonly settings: StoreSettings;
  /** The folders that the settings name, as they were found. */
  readonly roots: MailRoots;
}
