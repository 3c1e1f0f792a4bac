/** The fields of a user besides the secrets: which there are, how each is written, and what they say together. */

import type { UserRecord } from "../contracts/user_record.ts";
import { readPlace } from "../mail/naming/place_template.ts";
import { octets } from "../settings/types/sizes.ts";

/** Says that a user may not log in. Only DISABLE sets it. */
const DISABLED = "disabled";

/** Fields that can be set, with what reads each. */
const READERS: Readonly<Record<string, (text: string) => Partial<UserRecord>>> = {
  mailbox: (mailbox) => {
    readPlace(mailbox);
    return { mailbox };
  },
  home: (home) => {
    if (!home.startsWith("/") || home.split("/").includes("..")) {
      throw new SyntaxError("an absolute path without ..");
    }
    return { home };
  },
  quota: (text) => ({ quota: octets.read([text]) }),
  trash: (text) => {
    if (!/^\d{1,5}$/.test(text)) throw new SyntaxError("a whole number of days");
    return { trash: Number(text) };
  },
  deletes: (text) => {
    if (text === "allow" || text === "refuse" || text === "keep") return { deletes: text };
    throw new SyntaxError("allow, refuse or keep");
  },
};

/** The names of fields that can be set. */
export const USER_FIELDS: readonly string[] = Object.keys(READERS);

/** What is known of a user. */
export interface KnownUser {
  readonly record: UserRecord | undefined;
  readonly disabled: boolean;
}

/**
 * Reads one field.
 *
 * @throws {SyntaxError} what was expected
 */
export function readUserField(field: string, value: string): Partial<UserRecord> {
  const read = READERS[field];
  if (read === undefined) throw new SyntaxError(`one of the fields ${USER_FIELDS.join(", ")}`);
  try {
    return read(value);
  } catch (error) {
    throw error instanceof Error ? new SyntaxError(error.message) : error;
  }
}

/**
 * Joins what the state knows of a user with what came with the login; the state's fields win.
 *
 * @param given what a passwd-file or a hook said
 */
export function knownUser(
  fields: ReadonlyMap<string, string>,
  given: UserRecord | undefined,
): KnownUser {
  if (fields.size === 0) return { record: given, disabled: false };
  let record = given;
  for (const [field, value] of fields) {
    if (field !== DISABLED) record = { ...record, ...readUserField(field, value) };
  }
  return { record, disabled: fields.has(DISABLED) };
}

/** The name of the field that keeps a user out, for who sets it. */
export const DISABLED_FIELD: string = DISABLED;
