/** Turns what the database and the network say into sentences for people. */

import { StateStoreError, type StateTrouble } from "../../contracts/state_store.ts";

/** SQLSTATE codes (PostgreSQL, appendix A) that say that this connection is of no use any more, and nothing of it was done or is kept. */
const GONE: readonly string[] = ["57P01", "57P02", "57P03", "25006", "08003", "08006", "08001"];
/** Others were at the same rows: the transaction was rolled back, and can be repeated. */
const REPEATABLE: readonly string[] = ["40001", "40P01"];

/** Sentences by SQLSTATE: what kind of trouble it is, and what to do. */
const SENTENCES: Readonly<Record<string, readonly [StateTrouble, string]>> = {
  "28P01": [
    "unusable",
    "refuses the password. Give the right one with --state-password @FILE or POSTERN_STATE_PASSWORD",
  ],
  "28000": [
    "unusable",
    "refuses this account or this way of connecting. Look at the user in --state and at pg_hba.conf",
  ],
  "3D000": [
    "unusable",
    "has no such database. Create it, or name another one in --state",
  ],
  "42501": [
    "unusable",
    "does not give the account the rights that it needs. It must own the schema, or be allowed to create it",
  ],
  "53100": ["full", "has no room left on its disk. Nothing was changed; make room"],
  "53200": ["busy", "has no memory left. Nothing was changed"],
  "53300": [
    "busy",
    "takes no more connections. Raise its max_connections, or put a connection pooler in front",
  ],
  "25006": ["read-only", "takes no writes: it is a standby, or set to read only"],
  "57P01": ["unreachable", "is shutting down"],
  "57P02": ["unreachable", "is restarting after a crash"],
  "57P03": ["unreachable", "is starting up"],
  "40001": ["busy", "had others at the same rows too often. Nothing was changed; try again"],
  "40P01": ["busy", "had others at the same rows too often. Nothing was changed; try again"],
};

/** The SQLSTATE code or the system's word (`ECONNREFUSED`) of an error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** Whether the server said so, and the connection is whole; else the connection failed. */
export function isFromServer(error: unknown): boolean {
  return /^[0-9A-Z]{5}$/.test(codeOf(error) ?? "") && !GONE.includes(codeOf(error) ?? "");
}

/** Whether it was not done because others were at the same rows. */
export function isRepeatable(error: unknown): boolean {
  return REPEATABLE.includes(codeOf(error) ?? "");
}

/** Whether the statement was certainly not done, although the connection is of no use any more. */
export function wasNotDone(error: unknown): boolean {
  return GONE.includes(codeOf(error) ?? "");
}

/** Makes the error that says what happened to a state in a database. */
export function databaseTrouble(error: unknown, name: string): StateStoreError {
  if (error instanceof StateStoreError) return error;
  const code = codeOf(error) ?? "";
  const known = SENTENCES[code];
  if (known !== undefined) {
    return new StateStoreError(known[0], `The database ${name} ${known[1]}`, { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (/password must be a/.test(reason)) {
    const text = `The database ${name} asks for a password. Give it with --state-password @FILE ` +
      "or POSTERN_STATE_PASSWORD";
    return new StateStoreError("unusable", text, { cause: error });
  }
  if (
    /certificate|does not support SSL|altnames|SELF_SIGNED|UNABLE_TO/i.test(`${code} ${reason}`)
  ) {
    const text =
      `The database ${name} cannot be trusted: ${firstLine(reason)}. Name the authority's ` +
      "certificate with sslrootcert=FILE in --state, and the server by the name in its certificate";
    return new StateStoreError("unusable", text, { cause: error });
  }
  if (isFromServer(error)) {
    const text = `The database ${name} refused a statement: ${firstLine(reason)} (${code})`;
    return new StateStoreError("unusable", text, { cause: error });
  }
  const text = `The database ${name} cannot be reached: ${firstLine(wordsFor(code, reason))}`;
  return new StateStoreError("unreachable", text, { cause: error });
}

function wordsFor(code: string, reason: string): string {
  switch (code) {
    case "ECONNREFUSED":
      return "nothing listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its host's name is not known";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no way to its host";
    default:
      return /timeout/i.test(reason)
        ? "it does not answer"
        : /terminated|ended|closed/i.test(reason)
        ? "the connection was lost"
        : reason;
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
