/** What the main thread and the thread that takes mail by LMTP say to each other. */

import type { UserRecord } from "../../contracts/user_record.ts";
import type { SessionSettings, Settings } from "../../contracts/settings.ts";
import type { LogLine } from "../../log/logging.ts";
import type { MailRoots } from "../../mail/places/mail_roots.ts";
import type { HeldFoldersAnswer } from "../messages.ts";

/** The settings that deliveries go by. */
export type LmtpSettings =
  & Pick<SessionSettings, "serverName" | "defaultDomain" | "mailbox" | "ids" | "quota" | "logLevel">
  & Pick<Settings, "maxMessageSize" | "lmtpNetworks">;

/** What the thread is started with. */
export interface LmtpSetup {
  readonly settings: LmtpSettings;
  readonly place: { readonly hostname: string; readonly port: number } | { readonly path: string };
  readonly roots: MailRoots;
  /** The user id and the number of the process. */
  readonly account: number;
  readonly pid: number;
}

/** A user who can be delivered to. */
export interface FoundRecipient {
  /** The canonical name. */
  readonly user: string;
  readonly record: UserRecord | undefined;
}

/** What the thread asks, with what comes back. */
export type LmtpQuestion =
  | { readonly kind: "find"; readonly address: string }
  | {
    readonly kind: "hold";
    readonly request: Uint8Array<ArrayBuffer>;
    readonly root: string | undefined;
  };

/** An answer; `failed` where it cannot be found out now. */
export type LmtpAnswer =
  | { readonly kind: "found"; readonly recipient: FoundRecipient | undefined }
  | { readonly kind: "held"; readonly answer: HeldFoldersAnswer }
  | { readonly kind: "failed"; readonly why: string };

/** From the thread to the main thread. */
export type FromLmtp =
  | { readonly type: "listening"; readonly address: string; readonly port: number }
  | { readonly type: "cannot-listen"; readonly why: string }
  | { readonly type: "ask"; readonly call: number; readonly question: LmtpQuestion }
  | { readonly type: "log"; readonly line: LogLine }
  | { readonly type: "died"; readonly message: string }
  | { readonly type: "closed" };

/** From the main thread to the thread. */
export type ToLmtp =
  | { readonly type: "setup"; readonly setup: LmtpSetup }
  | { readonly type: "answer"; readonly call: number; readonly answer: LmtpAnswer }
  | { readonly type: "level"; readonly level: SessionSettings["logLevel"] }
  /** Accept no more; end after so many milliseconds at most. */
  | { readonly type: "close"; readonly patience: number };
