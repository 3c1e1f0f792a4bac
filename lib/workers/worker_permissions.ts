/** What a session worker and the thread that runs transformers may touch: the sandbox, in one place. */

import { plainAddress } from "../net/endpoint.ts";
import type { ListenOptions } from "../net/endpoint.ts";

/** A worker's permissions, every one of them decided: what is left out of such an object would be asked of the parent. */
export type WorkerPermissions = Required<Deno.PermissionOptionsObject>;

/** What a worker needs. */
export interface WorkerNeeds {
  /** Where it listens. */
  readonly listen: readonly ListenOptions[];
  /** The mail folder, an absolute path without symbolic links. */
  readonly maildir: string;
  /** Folders of homes, likewise. */
  readonly homes?: readonly string[];
}

const NOTHING: WorkerPermissions = {
  net: false,
  read: false,
  write: false,
  run: false,
  env: false,
  ffi: false,
  sys: false,
  import: false,
};

/** A session worker's: its own listen addresses, the mail folder and those of homes; no environment, no other file, no program. */
export function workerPermissions({ listen, maildir, homes = [] }: WorkerNeeds): WorkerPermissions {
  const folders = [maildir, ...homes];
  return { ...NOTHING, net: listen.map(netPermission), read: folders, write: folders };
}

/** What a thread that serves slow mailboxes may do: use the mail folder, by each of its paths; it faces no client. */
export function mailPermissions(folders: readonly string[]): WorkerPermissions {
  return { ...NOTHING, read: [...folders], write: [...folders] };
}

/** What the thread that runs transformers may do: start the one program, on files of the mail folder; it faces no client. */
export function transformerPermissions(
  maildir: string,
  program: string,
  homes: readonly string[] = [],
): WorkerPermissions {
  return { ...NOTHING, read: [maildir, ...homes], run: [program] };
}

/** The LMTP thread's: the address or the socket that it listens on, and the folders of mailboxes; no environment, no other file, no program. */
export function lmtpPermissions(
  place: { readonly hostname: string; readonly port: number } | { readonly path: string },
  mailFolders: readonly string[],
): WorkerPermissions {
  const folders = "path" in place ? [...mailFolders, place.path] : [...mailFolders];
  const net = ["path" in place ? `unix:${place.path}` : netPermission(place)];
  return { ...NOTHING, net, read: folders, write: folders };
}

/** How a permission to listen is written. */
function netPermission({ hostname, port }: ListenOptions): string {
  const address = plainAddress(hostname);
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
