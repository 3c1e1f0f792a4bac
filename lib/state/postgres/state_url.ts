/** The place of a state in a database: `postgres://user@host[:port][,host…]/database?schema=…&sslmode=…&sslrootcert=FILE`. */

import { isLoopback } from "../../net/networks.ts";

/** How far TLS goes towards the database. */
export type SslMode = "verify-full" | "require" | "disable";

/** One server of the database. */
export interface DatabaseHost {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly sslMode: SslMode;
}

/** Where a state is. */
export interface DatabasePlace {
  /** The place for people: no password is ever in it. */
  readonly name: string;
  /** Tried in order. */
  readonly hosts: readonly DatabaseHost[];
  readonly user: string;
  readonly database: string;
  /** The schema that holds the tables. */
  readonly schema: string;
  /** A PEM file with the authorities that vouch for the hosts, or undefined for those of the system. */
  readonly rootCertificate: string | undefined;
}

const SCHEME = "postgres://";
const PORT = 5432;
const PARAMETERS: readonly string[] = ["schema", "sslmode", "sslrootcert"];
const MODES: readonly SslMode[] = ["verify-full", "require", "disable"];

/** Whether a state is in a database and no file. */
export function isDatabase(state: string): boolean {
  return state.startsWith(SCHEME);
}

/**
 * Reads a place.
 *
 * @throws {SyntaxError} saying what was expected; never with a password in it
 */
export function parseStateUrl(text: string): DatabasePlace {
  const match = /^postgres:\/\/(?:([^@/?#]*)@)?([^/?#]*)\/([^/?#]*)(?:\?([^#]*))?$/.exec(text);
  if (match === null) {
    throw new SyntaxError(
      "postgres://user@host[:port][,host…]/database, followed by ?schema=NAME&sslmode=MODE&sslrootcert=FILE where needed",
    );
  }
  const [, account, servers = "", path = "", query = ""] = match;
  const user = decoded(account ?? "");
  if (account?.includes(":")) {
    throw new SyntaxError("no password in the URL: give it with --state-password @FILE");
  }
  const database = decoded(path);
  if (user === "" || database === "") {
    throw new SyntaxError("a user and a database: postgres://user@host/database");
  }
  const parameters = readParameters(query);
  const mode = readMode(parameters.get("sslmode"));
  const schema = parameters.get("schema") ?? "postern";
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new SyntaxError("schema=NAME, with a name of a-z, 0-9 and _");
  }
  const hosts = servers.split(",").map((server) => readHost(server, mode));
  const shown = `${SCHEME}${account}@${servers}/${path}`;
  return {
    name: schema === "postern" ? shown : `${shown}?schema=${schema}`,
    hosts,
    user,
    database,
    schema,
    rootCertificate: parameters.get("sslrootcert"),
  };
}

function readParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split("&").filter((each) => each !== "")) {
    const at = part.indexOf("=");
    const [name, value] = [decoded(part.slice(0, at)), decoded(part.slice(at + 1))];
    if (at < 0 || !PARAMETERS.includes(name) || value === "") {
      throw new SyntaxError(`no other parameters than ${PARAMETERS.join(", ")}, each with a value`);
    }
    if (parameters.has(name)) throw new SyntaxError(`${name} once`);
    parameters.set(name, value);
  }
  return parameters;
}

function readMode(text: string | undefined): SslMode | undefined {
  if (text === undefined) return undefined;
  const mode = MODES.find((each) => each === text);
  if (mode === undefined) throw new SyntaxError(`sslmode=${MODES.join(" or ")}`);
  return mode;
}

function readHost(text: string, mode: SslMode | undefined): DatabaseHost {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? PORT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new SyntaxError(
      "hosts with commas between them, each HOST or HOST:PORT, an IPv6 address in brackets",
    );
  }
  const own = isLoopback(host);
  return { host, port, sslMode: mode ?? (own ? "disable" : "verify-full") };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw new SyntaxError("% only before two hexadecimal digits");
    throw error;
  }
}
