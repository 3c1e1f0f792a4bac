/** Logins that ask for one folder of a mailbox (`--folder-separator`). */

import { splitFolder } from "../bytes/folder_name.ts";
import type { Credentials } from "../contracts/login_service.ts";

/** Credentials with the user's own name, and the folder that was asked for. */
export interface FolderLogin {
  readonly folder: string | undefined;
  readonly own: Credentials;
}

/** Takes the folder off a name that asks for one. @param separator undefined where none can be asked for */
export function withoutFolder(
  credentials: Credentials,
  separator: string | undefined,
): FolderLogin {
  if (separator === undefined || credentials.user === undefined) {
    return { folder: undefined, own: credentials };
  }
  const { user, folder } = splitFolder(credentials.user, separator);
  return { folder, own: { ...credentials, user } };
}
