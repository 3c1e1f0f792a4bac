/** What a session worker may touch: the sandbox of operations.md, in one place. */

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
  /** The transformer's program, an absolute path; undefined for none. */
  readonly program: string | undefined;
}

/** Its own listen addresses, the mail folder and the transformer's program; no environment, no other file, no other program. */
export function workerPermissions({ listen, maildir, program }: WorkerNeeds): WorkerPermissions {
  return {
    net: listen.map(netPermission),
    read: [maildir],
    write: [maildir],
    run: program === undefined ? false : [program],
    env: false,
    ffi: false,
    sys: false,
    import: false,
  };
}

/** How a permission to listen is written. */
function netPermission({ hostname, port }: ListenOptions): string {
  const address = plainAddress(hostname);
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
