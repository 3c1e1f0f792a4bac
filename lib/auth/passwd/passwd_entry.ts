/** Reads passwd-file lines: `name:{SCHEME}data:uid:gid:gecos:home:shell:extra fields`, as Dovecot's passwd-file has them. */

import {
  cryptScheme,
  type DataEncoding,
  decodeClear,
  FOREIGN_SCHEMES,
  foreignScheme,
  readForeignData,
} from "../foreign_hashes/foreign_schemes.ts";
import { refuseCost } from "../foreign_hashes/hash_cost.ts";
import { PasswdFactsReader } from "./passwd_facts.ts";
import { KEY_OCTETS, refuseSalting } from "../scram_keys.ts";
import type { ForeignHash, Salting, ScramKeys } from "../../contracts/user_source.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import { refuseSpelling } from "../../bytes/user_name.ts";

/** What a line says of a user's password. */
export type PasswdSecret =
  | { readonly kind: "clear"; readonly password: string }
  | { readonly kind: "keys"; readonly keys: ScramKeys & Salting }
  | { readonly kind: "foreign"; readonly hash: ForeignHash };

/** A user as a line gives them. */
export interface PasswdEntry {
  readonly name: string;
  /** `{SCHEME}data` as it stands. */
  readonly field: string;
  readonly secret: PasswdSecret;
  /** What the other fields say; absent where they say nothing. */
  readonly record?: UserRecord;
  /** Whether the line keeps the user out (`nologin`). */
  readonly disabled?: boolean;
}

/** A line that cannot be taken, as a sentence with file and number, and without its secret. */
export type RefusedLine = string;

/**
 * Reads the lines of a passwd-file. Blank lines and lines that begin with `#` are skipped.
 *
 * @param text the file's text
 * @param file its name, for messages
 * @param refused told of each line that cannot be taken, and of what is wrong with one that is; the rest is read on
 */
export function* passwdEntries(
  text: string,
  file: string,
  refused: (line: RefusedLine) => void,
): Generator<PasswdEntry & { readonly line: number }> {
  let number = 0;
  const facts = new PasswdFactsReader();
  const warn = (sentence: string): void => refused(`${file}, line ${number}: ${sentence}`);
  for (const line of text.split("\n")) {
    number++;
    const content = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (content.trim() === "" || content.startsWith("#")) continue;
    try {
      yield { ...passwdEntry(content, facts, warn), line: number };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      warn(error.message);
    }
  }
}

/**
 * Reads one line.
 *
 * @param facts reads the fields behind the password
 * @param warn told what is wrong with a line that is taken all the same
 * @throws {SyntaxError} saying what is wrong, without the secret
 */
export function passwdEntry(
  line: string,
  facts: PasswdFactsReader = new PasswdFactsReader(),
  warn: (sentence: string) => void = () => {},
): PasswdEntry {
  const fields = line.split(":");
  const [name = "", field] = fields;
  if (field === undefined) throw new SyntaxError("a line must have the form name:{SCHEME}data");
  const refusal = refuseSpelling(name);
  if (refusal) throw new SyntaxError(`invalid user name: ${refusal}`);
  const secret = passwdSecret(field);
  if (fields.length <= 5) return { name, field, secret };
  return { name, field, secret, ...facts.read(fields, warn) };
}

/** Suffixes that say how the data are written. */
const ENCODINGS: Readonly<Record<string, DataEncoding>> = {
  B64: "base64",
  BASE64: "base64",
  HEX: "hex",
};

/**
 * Reads `{SCHEME}data`, or a hash of crypt(3) without a scheme in front.
 *
 * @throws {SyntaxError} saying what is wrong, without the secret
 */
export function passwdSecret(field: string): PasswdSecret {
  const [, named, rest = ""] = /^\{([^}]*)\}(.*)$/s.exec(field) ?? [];
  if (named === undefined && !field.startsWith("$")) {
    throw new SyntaxError("the password must begin with its scheme, such as {PLAIN}");
  }
  const [given = "", suffix] = (named ?? "CRYPT").toUpperCase().split(".");
  const data = named === undefined ? field : rest;
  const encoding = suffix === undefined ? "own" : ENCODINGS[suffix];
  if (encoding === undefined) throw unknownScheme();
  if (given === "PLAIN" || given === "CLEARTEXT" || given === "CLEAR") {
    const password = decodeClear(data, encoding);
    if (password === undefined) throw new SyntaxError(`the data are not written in ${encoding}`);
    if (password === "") throw new SyntaxError("the password is empty");
    return { kind: "clear", password };
  }
  if (given === "SCRAM-SHA-256") {
    return { kind: "keys", keys: scramSecret(decodeClear(data, encoding) ?? "") };
  }
  const scheme = given === "CRYPT"
    ? cryptScheme(decodeClear(data, encoding) ?? "")
    : foreignScheme(given);
  if (scheme === undefined) throw unknownScheme();
  const read = readForeignData(scheme, data, encoding);
  if (read === undefined) throw new SyntaxError(`the hash does not have the form of {${scheme}}`);
  const hash = { scheme, data: read };
  const refusal = refuseCost(hash);
  if (refusal) throw new SyntaxError(`this {${scheme}} hash is not used: ${refusal}`);
  return { kind: "foreign", hash };
}

function unknownScheme(): SyntaxError {
  const known = ["PLAIN", "SCRAM-SHA-256", ...FOREIGN_SCHEMES].map((name) => `{${name}}`);
  return new SyntaxError(`unknown password scheme; expected one of ${known.join(", ")}`);
}

/** Reads `iterations,salt,StoredKey,ServerKey`, the last three in base64. */
function scramSecret(data: string): ScramKeys & Salting {
  const [iterations = "", ...rest] = data.split(",");
  const [salt, storedKey, serverKey] = rest.map(octets);
  if (!/^\d{1,8}$/.test(iterations) || rest.length !== 3 || !salt || !storedKey || !serverKey) {
    throw new SyntaxError(
      "the data of {SCRAM-SHA-256} must be iterations,salt,StoredKey,ServerKey, the last three in base64",
    );
  }
  if (storedKey.length !== KEY_OCTETS || serverKey.length !== KEY_OCTETS) {
    throw new SyntaxError(`the keys of {SCRAM-SHA-256} must have ${KEY_OCTETS} octets each`);
  }
  const secret = { salt, iterations: Number(iterations), storedKey, serverKey };
  const refusal = refuseSalting(secret);
  if (refusal) throw new SyntaxError(`the data of {SCRAM-SHA-256} cannot be used: ${refusal}`);
  return secret;
}

function octets(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
  } catch {
    // The caller says it with the whole field in view.
    return undefined;
  }
}
