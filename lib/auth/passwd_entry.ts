/** Reads passwd-file lines: `name:{SCHEME}data`, as Dovecot's passwd-file has them. */

import {
  FOREIGN_SCHEMES,
  isForeignHash,
  isForeignScheme,
} from "./foreign_hashes/foreign_schemes.ts";
import { refuseCost } from "./foreign_hashes/hash_cost.ts";
import { KEY_OCTETS, refuseSalting } from "./scram_keys.ts";
import type { ForeignHash, Salting, ScramKeys } from "../contracts/user_source.ts";
import { refuseSpelling } from "../bytes/user_name.ts";

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
}

/** A line that cannot be taken, as a sentence with file and number, and without its secret. */
export type RefusedLine = string;

/**
 * Reads the lines of a passwd-file. Blank lines and lines that begin with `#` are skipped; what follows a second `:` is ignored.
 *
 * @param text the file's text
 * @param file its name, for messages
 * @param refused told of each line that cannot be taken; the rest is read on
 */
export function* passwdEntries(
  text: string,
  file: string,
  refused: (line: RefusedLine) => void,
): Generator<PasswdEntry & { readonly line: number }> {
  let number = 0;
  for (const line of text.split("\n")) {
    number++;
    const content = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (content.trim() === "" || content.startsWith("#")) continue;
    try {
      yield { ...passwdEntry(content), line: number };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      refused(`${file}, line ${number}: ${error.message}`);
    }
  }
}

/**
 * Reads one line.
 *
 * @throws {SyntaxError} saying what is wrong, without the secret
 */
export function passwdEntry(line: string): PasswdEntry {
  const [name = "", field] = line.split(":", 2);
  if (field === undefined) throw new SyntaxError("a line must have the form name:{SCHEME}data");
  const refusal = refuseSpelling(name);
  if (refusal) throw new SyntaxError(`invalid user name: ${refusal}`);
  return { name, field, secret: passwdSecret(field) };
}

/** Reads `{SCHEME}data`. */
function passwdSecret(field: string): PasswdSecret {
  const parts = /^\{([^}]*)\}(.*)$/s.exec(field);
  if (!parts) throw new SyntaxError("the password must begin with its scheme, such as {PLAIN}");
  const [, given = "", data = ""] = parts;
  const scheme = given.toUpperCase();
  if (scheme === "PLAIN") {
    if (data === "") throw new SyntaxError("the password is empty");
    return { kind: "clear", password: data };
  }
  if (scheme === "SCRAM-SHA-256") return { kind: "keys", keys: scramSecret(data) };
  if (!isForeignScheme(scheme)) {
    const known = ["PLAIN", "SCRAM-SHA-256", ...FOREIGN_SCHEMES].map((name) => `{${name}}`);
    throw new SyntaxError(`unknown password scheme; expected one of ${known.join(", ")}`);
  }
  const hash = { scheme, data };
  if (!isForeignHash(hash)) throw new SyntaxError(`the hash does not have the form of {${scheme}}`);
  const refusal = refuseCost(hash);
  if (refusal) throw new SyntaxError(`this {${scheme}} hash is not used: ${refusal}`);
  return { kind: "foreign", hash };
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
