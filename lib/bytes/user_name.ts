/** Which names can be users' names: no name reaches outside the mail folder, or into a mailbox's own folders. */

const MAX_OCTETS = 64;
/** Folders of a Maildir, which must not be taken for mailboxes. */
const RESERVED: ReadonlySet<string> = new Set(["cur", "new", "tmp"]);

/**
 * Says what keeps a name from being a user's.
 *
 * @param name as the client or administrator gave it
 * @param maxOctets in UTF-8
 * @returns undefined when the name can be used, else the reason in words
 */
export function refuseUserName(name: string, maxOctets: number = MAX_OCTETS): string | undefined {
  const reserved = name.split("@").find((part) => RESERVED.has(part));
  return refuseSpelling(name, maxOctets) ??
    (reserved === undefined ? undefined : `${reserved} is a folder of a mailbox`);
}

/**
 * Says what is wrong with how a name is written, whether or not it can be a mailbox's. A flag or file may name a user whose
 * name is well written and reserved; nobody can log in as that one.
 */
export function refuseSpelling(name: string, maxOctets: number = MAX_OCTETS): string | undefined {
  if (name === "") return "it is empty";
  // A UTF-16 unit makes at most three octets: most names need not be counted.
  if (name.length * 3 > maxOctets && new TextEncoder().encode(name).length > maxOctets) {
    return `it is longer than ${maxOctets} octets`;
  }
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) return "it holds a control character";
  if (!name.isWellFormed() || name.includes("\ufffd")) return "it is not valid UTF-8";
  if (/[/\\]/.test(name)) return "it holds a slash";
  const parts = name.split("@");
  if (parts.length > 2) return "it holds more than one @";
  for (const part of parts) {
    if (part === "") return "a part of it is empty";
    if (part.startsWith(".")) return "a part of it begins with a dot";
    if (part.includes("..")) return "it holds ..";
  }
  return undefined;
}
