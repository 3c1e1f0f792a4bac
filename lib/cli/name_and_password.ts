/** Reads `NAME:PASS`, `NAME:@FILE` or `NAME` of a command line, as `serve` reads `-u`. */

import { fileErrorReason } from "../files/file_error.ts";
import { UsageError } from "./usage_error.ts";

/** A name, with its password where one was given. */
export interface NameAndPassword {
  readonly name: string;
  readonly password: string | undefined;
}

/**
 * Reads one. The first `:` splits; `@FILE` names a file whose text is the password, without one line end at its end; a password
 * that begins with `@` is written `@@…`.
 *
 * @param place how errors name it: `-u`
 * @throws {UsageError} when it cannot be read; never with the password in it
 */
export async function readNameAndPassword(text: string, place: string): Promise<NameAndPassword> {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  // A blank inside belongs to the name, as it does in serve's -u.
  if (name === "" || name !== name.trim() || /[^\S ]/.test(name)) {
    throw new UsageError(`${place} begins with no name: expected NAME:PASS, NAME:@FILE or NAME`);
  }
  if (colon < 0) return { name, password: undefined };
  const password = await readPassword(text.slice(colon + 1), place);
  if (password === "" || /[\r\n\0]/.test(password)) {
    throw new UsageError(`${place} has no password that can be used: expected one line of text`);
  }
  return { name, password };
}

async function readPassword(text: string, place: string): Promise<string> {
  if (text.startsWith("@@")) return text.slice(1);
  if (!text.startsWith("@")) return text;
  try {
    return (await Deno.readTextFile(text.slice(1))).replace(/\r?\n$/, "");
  } catch (cause) {
    throw new UsageError(
      `${place}: the password file ${text.slice(1)} cannot be read: ${
        fileErrorReason(cause)
      }; a password that begins with @ is written @@`,
      { cause },
    );
  }
}
