/** Values that hold passwords, and so are never shown. */

import { refuseSpelling } from "../../bytes/user_name.ts";
import { single, type ValueType } from "./value_type.ts";

/** What stands where a secret is not shown. */
export const HIDDEN = "(hidden)";

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** `@FILE` names a file and hides nothing; `@@…` is a password that begins with `@`. */
function isFileReference(secret: string): boolean {
  return secret.startsWith("@") && !secret.startsWith("@@");
}

function isSecret(text: string): boolean {
  return text !== "" && text !== "@" && !CONTROL.test(text) && text.isWellFormed();
}

const maskSecret = (text: string): string => isFileReference(text) ? text : HIDDEN;

/**
 * `NAME:PASS` or `NAME:@FILE`; the first `:` splits. What the password is, those who keep users find out.
 *
 * @param refuseName says what keeps a name from being used
 */
function nameAndPassword(
  refuseName: (name: string) => string | undefined,
): ValueType<string> {
  return single({
    placeholder: "NAME:PASS",
    expected: "NAME:PASS or NAME:@FILE, with a name that can be a mailbox's",
    parse: (text) => {
      const colon = text.indexOf(":");
      if (colon < 1 || refuseName(text.slice(0, colon)) !== undefined) return undefined;
      return isSecret(text.slice(colon + 1)) ? text : undefined;
    },
    mask: (text) => {
      const colon = text.indexOf(":");
      return colon < 1 ? HIDDEN : `${text.slice(0, colon)}:${maskSecret(text.slice(colon + 1))}`;
    },
  });
}

/** A user and the password. */
export const userAndPassword: ValueType<string> = nameAndPassword((name) => refuseSpelling(name));

/** A password, or `@FILE`. */
export const password: ValueType<string> = single({
  placeholder: "@FILE",
  expected: "@FILE, a file that holds the password, or the password",
  parse: (text) => isSecret(text) ? text : undefined,
  mask: maskSecret,
});
