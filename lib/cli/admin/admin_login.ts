/** Who an administrator is, and whom the client trusts: what `postern admin` and `postern backup` ask for alike. */

import type { Login } from "../../msmp_client/msmp_client.ts";
import { quote } from "../../bytes/quote.ts";
import { askSecret } from "../../terminal/ask_secret.ts";
import type { Keyboard } from "../../terminal/keyboard.ts";
import { json, safe } from "../../terminal/safe_text.ts";
import type { StandardInput } from "../../terminal/standard_input.ts";
import { readNameAndPassword } from "../name_and_password.ts";
import { UsageError } from "../usage_error.ts";

/**
 * Finds the login: the flag, the environment, or a question.
 *
 * @param user what the flag `-u` said
 * @throws {UsageError} when there is none
 */
export async function readLogin(
  user: string | undefined,
  keyboard: Keyboard,
  input: StandardInput,
): Promise<Login> {
  const environment = Deno.env.get("POSTERN_ADMIN_LOGIN");
  const isFlag = user !== undefined;
  const given = user ?? (environment === "" ? undefined : environment);
  const isTerminal = Deno.stdin.isTerminal();
  if (given === undefined && !isTerminal) {
    throw new UsageError(
      "no administrator: expected -u NAME:PASS, or POSTERN_ADMIN_LOGIN=NAME:PASS in the environment",
    );
  }
  const text = given ?? globalThis.prompt("Administrator:")?.trim() ?? "";
  const read = await readNameAndPassword(text, isFlag ? "-u" : "the administrator");
  const password = read.password ??
    (isTerminal
      ? await askSecret(keyboard, `Password of ${safe(read.name)}: `)
      : await input.next());
  if (password) return { name: read.name, password };
  throw new UsageError(`no password of ${quote(read.name)}: expected NAME:PASS or NAME:@FILE`);
}

/** Reads the file of `--ca`. @throws {UsageError} when it cannot be read */
export async function readCa(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : json(error);
    throw new UsageError(`--ca ${quote(path)} cannot be read: ${reason}`, { cause: error });
  }
}
