/** The values of `-u` and `-a`: `NAME:PASS`, `NAME:@FILE`, and `NAME:@@…` for a password that begins with `@`. */

import { fileErrorReason } from "../files/file_error.ts";
import { printable } from "../bytes/printable.ts";
import { refuseSpelling } from "../bytes/user_name.ts";

/** An account that a flag names. */
export interface FlagAccount {
  readonly name: string;
  readonly password: string;
}

/**
 * Reads values of `-u` or `-a`. The first `:` splits name from password; one line end at the end of a password file is dropped.
 *
 * @param values as they were given
 * @param flag its name, for messages: `-u`
 * @param read reads a file's text
 * @throws {SyntaxError} saying what is wrong, without the password
 */
export async function readFlagAccounts(
  values: readonly string[],
  flag: string,
  read: (path: string) => Promise<string> = Deno.readTextFile,
): Promise<readonly FlagAccount[]> {
  const accounts = new Map<string, FlagAccount>();
  for (const value of values) {
    const split = value.indexOf(":");
    if (split < 0) throw new SyntaxError(`${flag} needs NAME:PASS, or NAME:@FILE`);
    const name = value.slice(0, split);
    const refusal = refuseSpelling(name);
    if (refusal) {
      throw new SyntaxError(`${flag}: ${printable(name)} cannot be a name: ${refusal}`);
    }
    if (accounts.has(name)) throw new SyntaxError(`${flag} names ${name} twice`);
    const password = await flagPassword(value.slice(split + 1), `${flag} ${name}`, read);
    if (password === "") throw new SyntaxError(`${flag} ${name}: the password is empty`);
    accounts.set(name, { name, password });
  }
  return [...accounts.values()];
}

async function flagPassword(
  text: string,
  subject: string,
  read: (path: string) => Promise<string>,
): Promise<string> {
  if (text.startsWith("@@")) return text.slice(1);
  if (!text.startsWith("@")) return text;
  try {
    return (await read(text.slice(1))).replace(/\r?\n$/, "");
  } catch (cause) {
    const sentence = `${subject}: the password file ${text.slice(1)} cannot be read: ${
      fileErrorReason(cause)
    }`;
    throw new SyntaxError(`${sentence}. A password that begins with @ is written @@`, { cause });
  }
}
