/** Reads other servers' lists of users and password hashes. */

import { type PasswdSecret, passwdSecret } from "../auth/passwd/passwd_entry.ts";
import { refuseUserName } from "../bytes/user_name.ts";
import { linesOf } from "./id_list.ts";

/** Forms of lists. */
export const USER_FORMATS = ["passwd", "sql", "sasldb", "htpasswd", "shadow"] as const;
/** One of {@linkcode USER_FORMATS}. */
export type UserFormat = typeof USER_FORMATS[number];

/** Users who can be taken. */
export interface UserList {
  /** By canonical names. */
  readonly users: ReadonlyMap<string, PasswdSecret>;
  /** Lines that cannot be, each with its number and reason, and without its secret. */
  readonly refused: readonly string[];
}

/** How a list is read. */
export interface UserListOptions {
  readonly from: UserFormat;
  /** The scheme of data that name none. */
  readonly scheme?: string | undefined;
  readonly canonical: (name: string) => string;
}

/** A line's parts, or why it has none; undefined where it says nothing. */
type Parts = { readonly name: string; readonly field: string } | string | undefined;

const READERS: Readonly<Record<UserFormat, (line: string, number: number) => Parts>> = {
  passwd: firstTwo,
  sql: csvParts,
  sasldb: sasldbParts,
  htpasswd: firstTwo,
  shadow: shadowParts,
};

/** Reads a list; of a name that stands in it twice the first line counts. */
export function readUserList(text: string, options: UserListOptions): UserList {
  const { from, scheme, canonical } = options;
  const users = new Map<string, PasswdSecret>();
  const refused: string[] = [];
  for (const [given, number] of linesOf(text.replace(/^\ufeff/, ""))) {
    const line = given.replace(/\r$/, "");
    if (line.trim() === "" || line.startsWith("#")) continue;
    const parts = READERS[from](line, number);
    if (parts === undefined) continue;
    const refusal = typeof parts === "string" ? parts : take(parts);
    if (refusal !== undefined) refused.push(`line ${number}: ${refusal}`);
  }
  return { users, refused };

  function take({ name, field }: Exclude<Parts, string | undefined>): string | undefined {
    const own = canonical(name);
    const unsafe = refuseUserName(name) ?? refuseUserName(own);
    if (unsafe !== undefined) return `invalid user name: ${unsafe}`;
    if (users.has(own)) return `duplicate user ${own}`;
    try {
      users.set(own, passwdSecret(withScheme(field, scheme)));
      return undefined;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return error.message;
    }
  }
}

function withScheme(field: string, scheme: string | undefined): string {
  if (field.startsWith("{") || scheme === undefined) return field;
  return `{${scheme}}${field}`;
}

/** `name:{SCHEME}data:…`, what follows is passed over. */
function firstTwo(line: string): Parts {
  const [name = "", field] = line.split(":");
  return field === undefined ? "it is not of the form name:hash" : { name, field };
}

/** A locked account has no password: `!` in front, or `*`. */
function shadowParts(line: string): Parts {
  const parts = firstTwo(line);
  if (typeof parts !== "object") return parts;
  return /^(?:$|[!*])/.test(parts.field) ? "the account is locked, or has no password" : parts;
}

/** `name@realm: userPassword: secret`; without the secret there is nothing to take. */
function sasldbParts(line: string): Parts {
  const [, name = "", property = "", secret] = /^([^:]+):\s*([^:]*)(?::\s?(.*))?$/.exec(line) ?? [];
  if (name === "") return "it is not of the form name@realm: userPassword: password";
  if (secret === undefined) {
    if (/^(?:userPassword|cmusaslsecret\S*)$/i.test(property)) {
      return "the text says that there is a password, but not which: sasldblistusers2 does not show it";
    }
    return { name, field: clear(property) };
  }
  return property.toLowerCase() === "userpassword"
    ? { name, field: clear(secret) }
    : `its property ${property} is no password in clear`;
}

function clear(password: string): string {
  return `{PLAIN}${password}`;
}

/** `name,{SCHEME}data`, quoted where need be; a first line may name the columns. */
function csvParts(line: string, number: number): Parts {
  const fields = csvFields(line);
  const [name, field] = fields ?? [];
  if (name === undefined || field === undefined) return "it is not of the form name,hash";
  if (number === 1 && /^(?:password|passwd|crypt|hash)$/i.test(field.trim())) return undefined;
  return { name: name.trim(), field };
}

/** Fields of a line of CSV (RFC 4180); undefined where a quote is not closed. */
function csvFields(line: string): string[] | undefined {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*(,|;|\t|$)/.exec(rest);
    const plain = /^([^,;\t"]*)(,|;|\t|$)/.exec(rest) ?? /^([^,;\t]*)(,|;|\t|$)/.exec(rest);
    const found = quoted ?? (/^\s*"/.test(rest) ? null : argonField(rest) ?? plain);
    if (found === null) return undefined;
    fields.push(quoted === null ? found[1]! : found[1]!.replaceAll('""', '"'));
    if (found[2] === "") return fields;
    rest = rest.slice(found[0].length);
  }
}

/** Hashes of Argon2 hold commas, and exports do not always quote them. */
function argonField(text: string): RegExpExecArray | null {
  return /^((?:\{ARGON2ID?\})?\$argon2id?\$v=\d+\$m=\d+,t=\d+,p=\d+\$[^,;\t]*)(,|;|\t|$)/i.exec(
    text,
  );
}
