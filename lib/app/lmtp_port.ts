/** Opens the LMTP port, where `--lmtp` asks for one. */

import { resolve } from "node:path";
import { LmtpHandle } from "../workers/lmtp/lmtp_handle.ts";
import type { FoundRecipient, LmtpSetup } from "../workers/lmtp/messages.ts";
import { lmtpPermissions } from "../workers/worker_permissions.ts";
import { mailRoots } from "../mail/places/mail_roots.ts";
import type { UserRecords } from "../auth/user_records.ts";
import type { HeldFolders } from "../contracts/held_folders.ts";
import type { Settings } from "../contracts/settings.ts";
import type { Logging } from "../log/logging.ts";

/** What the port is opened with. */
export interface LmtpPortOptions {
  readonly settings: Settings;
  readonly records: Pick<UserRecords, "find">;
  readonly held: (root: string, homes: readonly string[]) => HeldFolders;
  readonly logging: Pick<Logging, "accept">;
}

/** An open port. */
export interface LmtpPort {
  readonly handle: LmtpHandle;
  /** An IP address, or the path of a socket. */
  readonly address: string;
  /** 0 for a socket. */
  readonly port: number;
}

/**
 * Opens the port.
 *
 * @returns undefined where there is to be none
 * @throws {StartError} when it cannot be opened
 */
export async function openLmtpPort(options: LmtpPortOptions): Promise<LmtpPort | undefined> {
  const { settings, records, held, logging } = options;
  if (settings.lmtp === undefined) return undefined;
  const place = placeOf(settings.lmtp);
  const roots = mailRoots(settings);
  const [maildir, ...homes] = [roots.maildir.real, ...roots.homes.map(({ real }) => real)] as const;
  const { serverName, defaultDomain, mailbox, ids, quota, logLevel } = settings;
  const { maxMessageSize, lmtpNetworks } = settings;
  return await LmtpHandle.open({
    setup: {
      settings: {
        ...{ serverName, defaultDomain, mailbox, ids, quota, logLevel },
        ...{ maxMessageSize, lmtpNetworks },
      },
      place,
      roots,
      account: Deno.uid() ?? NaN,
      pid: Deno.pid,
    },
    permissions: lmtpPermissions(place, [maildir, ...homes]),
    held: held(maildir, homes),
    logging,
    find: (address) => findRecipient(records, address),
  });
}

function placeOf(text: string): LmtpSetup["place"] {
  if (text.startsWith("unix:")) return { path: resolve(text.slice("unix:".length)) };
  const [, hostname = "", port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text) ?? [];
  return { hostname, port: Number(port) };
}

/** By the whole address; a user without a domain is meant by any, since the mail server knows which are ours. */
export async function findRecipient(
  records: Pick<UserRecords, "find">,
  address: string,
): Promise<FoundRecipient | undefined> {
  const local = address.slice(0, Math.max(0, address.lastIndexOf("@")));
  const found = await records.find(address) ??
    (local === "" ? undefined : await records.find(local));
  return found === undefined ? undefined : { user: found.name, record: found.record };
}
