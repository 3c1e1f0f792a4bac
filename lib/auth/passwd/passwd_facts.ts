/** What the fields of a passwd-file's line say beside name and password: the home, and Dovecot's extra fields. */

import type { UserRecord } from "../../contracts/user_record.ts";
import { readUserField } from "../user_fields.ts";

/** What a line says. */
export interface PasswdFacts {
  readonly record?: UserRecord;
  readonly disabled?: boolean;
}

/** Places of fields in a line. */
const HOME = 5;
const EXTRAS = 7;

/** Extra fields that name one of ours, without `userdb_`. */
const MEANINGS: Readonly<Record<string, string>> = {
  mail: "mailbox",
  mailbox: "mailbox",
  mail_path: "mailbox",
  mail_location: "mailbox",
  home: "home",
  quota: "quota",
  quota_storage_size: "quota",
  trash: "trash",
  deletes: "deletes",
};

/** Extra fields that are remembered: many lines have the same. */
const MOST_REMEMBERED = 1000;

/** Reads the fields of lines. Extra fields that mean nothing here are left alone. */
export class PasswdFactsReader {
  /** What extra fields say that were read before, and had nothing wrong. */
  readonly #extras = new Map<string, PasswdFacts>();

  /**
   * Reads the fields of a line.
   *
   * @param warn told what is wrong
   * @throws {SyntaxError} where a field restricts logins in a way that is not kept here
   */
  read(fields: readonly string[], warn: (sentence: string) => void): PasswdFacts {
    const home = fields[HOME] ?? "";
    // A value may hold colons: a location does.
    const extras = fields.length > EXTRAS ? fields.slice(EXTRAS).join(":") : "";
    const facts = extras === "" ? NO_FACTS : this.#extras.get(extras) ?? this.#read(extras, warn);
    if (home === "") return facts;
    const own = factOf("home", home, warn);
    return { ...facts, record: { ...own, ...facts.record } };
  }

  #read(extras: string, warn: (sentence: string) => void): PasswdFacts {
    let isWell = true;
    const facts = readExtras(extras, (sentence) => {
      isWell = false;
      warn(sentence);
    });
    if (isWell && this.#extras.size < MOST_REMEMBERED) this.#extras.set(extras, facts);
    return facts;
  }
}

const NO_FACTS: PasswdFacts = {};

function factOf(
  field: string,
  value: string,
  warn: (sentence: string) => void,
): Partial<UserRecord> {
  try {
    return readUserField(field, value);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    warn(`invalid ${field}: ${error.message}`);
    // A login is told that there is no mail to be had, and is not shown an empty maildrop at another place.
    return field === "mailbox" ? { mailbox: value } : {};
  }
}

function readExtras(extras: string, warn: (sentence: string) => void): PasswdFacts {
  let record: UserRecord = {};
  let disabled = false;
  for (const extra of extras.split(/\s+/)) {
    const [key, value] = keyAndValue(extra);
    if (key === "nologin" && !/^(no|n|false|0)$/i.test(value)) disabled = true;
    if (key === "allow_nets") {
      throw new SyntaxError(
        "allow_nets is not kept here, so that the user could log in from anywhere",
      );
    }
    const quota = key === "quota_rule"
      ? /^\*:(?:storage|bytes)=(\d+[KMGT]?)B?$/i.exec(value)
      : null;
    const field = quota === null ? MEANINGS[key] : "quota";
    const text = quota === null ? value : quotaOf(value, quota[1]!.toUpperCase());
    if (field !== undefined && text !== "") record = { ...record, ...factOf(field, text, warn) };
  }
  return {
    ...Object.keys(record).length > 0 && { record },
    ...disabled && { disabled },
  };
}

function keyAndValue(extra: string): [key: string, value: string] {
  const at = extra.indexOf("=");
  const key = at < 0 ? extra : extra.slice(0, at);
  return [key.replace(/^userdb_/, ""), at < 0 ? "" : extra.slice(at + 1)];
}

/** A storage without a unit is in KiB. */
function quotaOf(rule: string, size: string): string {
  return /storage/i.test(rule) && /^\d+$/.test(size) ? `${size}K` : size;
}
