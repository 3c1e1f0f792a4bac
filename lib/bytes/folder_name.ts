/** Names that ask for one folder of a mailbox: `ada/Junk` (`--folder-separator`). */

/** A name, split. */
export interface NameAndFolder {
  readonly user: string;
  /** The folder's name, its parts joined by dots as Maildir++ has it; undefined for the inbox. */
  readonly folder: string | undefined;
}

/** Octets of a folder's name, less than a file's name may have. */
const MOST_OCTETS = 200;

/**
 * Splits a name at the first separator.
 *
 * @param separator undefined where no folders are asked for
 */
export function splitFolder(name: string, separator: string | undefined): NameAndFolder {
  const at = separator === undefined ? -1 : name.indexOf(separator);
  if (separator === undefined || at < 0) return { user: name, folder: undefined };
  const folder = name.slice(at + 1).replaceAll(separator, ".");
  return { user: name.slice(0, at), folder: folder.toUpperCase() === "INBOX" ? undefined : folder };
}

/**
 * Says what keeps a text from being a folder's name.
 *
 * @returns undefined when it can be one
 */
export function refuseFolder(folder: string): string | undefined {
  if (new TextEncoder().encode(folder).length > MOST_OCTETS) return "it is too long";
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f/\\]/.test(folder)) return "it holds a slash or a control character";
  if (folder.split(".").some((part) => part === "")) return "a part of it is empty";
  return undefined;
}
