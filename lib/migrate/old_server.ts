/** Asks a POP3 server that still runs for the ids of a user's messages, and finds the messages again in the mailbox by their headers. */

import { printable } from "../bytes/printable.ts";
import { fileErrorReason, isFileError } from "../files/file_error.ts";
import { FileMeter } from "../mail/message/measure_file.ts";
import { openRegular } from "../mail/folder/regular_file.ts";
import { NoConnectionError } from "../msmp_client/errors.ts";
import { LineStream } from "../msmp_client/line_stream.ts";
import { headerHash } from "./header_hash.ts";
import type { IdList, ListedId } from "./id_list.ts";
import { ALONE, type OpenIds, pathOf } from "./mailbox_ids.ts";

/** Where the server is, and how to log in. */
export interface OldServer {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The login for a user: `user`, or `user*master`. */
  readonly login: (user: string) => string;
  readonly password: string;
  /** PEM of authorities that may vouch for the server, besides the well-known ones. */
  readonly ca: string | undefined;
  /** Told how far it has come. */
  readonly progress: (sentence: string) => void;
}

/** The server cannot be asked; the message says why. */
export class OldServerError extends Error {
  override name = "OldServerError";
}

/** What a server's ids are for the messages here. */
export interface FetchedList {
  readonly list: IdList;
  /** The entry of each row; -1 for none. */
  readonly entryOf: Int32Array;
  /** Whether so few were found that it may be another user's mailbox. */
  readonly isDoubtful: boolean;
}

/** A message of the server. */
interface Remote {
  readonly number: number;
  readonly id: string;
  readonly size: number;
  hash: string;
}

/** Milliseconds for an answer. */
const TIMEOUT = 60_000;
/** TOP commands that are sent at once, where the server takes several. */
const PIPELINED = 32;
/** Messages between two sentences of progress. */
const PROGRESS = 1000;
/** Octets of a header that are read. */
const MOST_HEADER = 1024 * 1024;
const ENOUGH = 0.95;

/**
 * Asks the server with UIDL, LIST and `TOP n 0`; nothing is changed there.
 *
 * @throws {OldServerError} when it cannot be reached, or does not answer as a POP3 server does
 */
export async function fetchList(
  user: string,
  open: OpenIds,
  server: OldServer,
): Promise<FetchedList> {
  const remotes = await ask(user, server);
  const entryOf = await matchHeaders(open, remotes);
  const found = entryOf.filter((at) => at >= 0).length;
  const entries = remotes.map(({ number, id, size }): ListedId => ({
    name: `message-${number}-of-the-old-server`,
    id,
    size,
    place: `message ${number}`,
  }));
  // What was not found is no file whose name could come back.
  return {
    list: { entries, refused: [], notes: [], ordered: true },
    entryOf,
    isDoubtful: found < ENOUGH * remotes.length,
  };
}

async function ask(user: string, server: OldServer): Promise<Remote[]> {
  const { host, port } = server;
  try {
    const connection = await connect(server);
    const lines = new LineStream(connection);
    try {
      return await converse(new Client(lines), user, server);
    } finally {
      lines.close();
    }
  } catch (error) {
    if (error instanceof OldServerError) throw error;
    if (!(error instanceof NoConnectionError) && !isFileError(error)) throw error;
    const reason = error instanceof NoConnectionError ? error.message : fileErrorReason(error);
    throw new OldServerError(`${host}:${port}: ${reason}`, { cause: error });
  }
}

async function connect({ host, port, tls, ca }: OldServer): Promise<Deno.Conn> {
  if (!tls) return await Deno.connect({ hostname: host, port });
  return await Deno.connectTls({
    hostname: host,
    port,
    ...ca === undefined ? {} : { caCerts: [ca] },
  });
}

async function converse(client: Client, user: string, server: OldServer): Promise<Remote[]> {
  await client.answer("its greeting");
  await client.ask(`USER ${server.login(user)}`);
  await client.ask(`PASS ${server.password}`, "the login");
  const capabilities = await client.try("CAPA");
  const isPipelined = capabilities?.some((line) => /^PIPELINING\b/i.test(line)) ?? false;
  const ids = numbered(await client.list("UIDL"));
  const sizes = numbered(await client.list("LIST"));
  const remotes = [...ids].map(([number, id]): Remote => ({
    number,
    id,
    size: Number(sizes.get(number) ?? NaN),
    hash: "",
  }));
  const step = isPipelined ? PIPELINED : 1;
  for (let at = 0; at < remotes.length; at += step) {
    const part = remotes.slice(at, at + step);
    for (const { number } of part) await client.send(`TOP ${number} 0`);
    for (const remote of part) {
      await client.answer(`TOP ${remote.number} 0`);
      remote.hash = headerHash(await client.lines());
    }
    if (Math.floor((at + step) / PROGRESS) > Math.floor(at / PROGRESS)) {
      server.progress(`${user}: ${at + part.length} of ${remotes.length} headers read`);
    }
  }
  await client.send("QUIT");
  return remotes;
}

/** One conversation with a POP3 server. */
class Client {
  readonly #lines: LineStream;

  constructor(lines: LineStream) {
    this.#lines = lines;
  }

  async send(command: string): Promise<void> {
    if (/[\r\n\0]/.test(command)) throw new OldServerError("a name or password holds a line end");
    await this.#lines.send(command);
  }

  /** @param what was asked, for messages; never a password */
  async answer(what: string): Promise<void> {
    const line = await this.#lines.next(TIMEOUT);
    if (/^\+OK\b/.test(line)) return;
    throw new OldServerError(`the server answers ${what} with "${printable(line, 80)}"`);
  }

  async ask(command: string, what = command): Promise<void> {
    await this.send(command);
    await this.answer(what);
  }

  async list(command: string): Promise<string[]> {
    await this.ask(command);
    return await this.lines();
  }

  /** A listing, or undefined where the server does not know the command. */
  async try(command: string): Promise<string[] | undefined> {
    await this.send(command);
    return /^\+OK\b/.test(await this.#lines.next(TIMEOUT)) ? await this.lines() : undefined;
  }

  /** The lines up to the one with a dot alone. */
  async lines(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#lines.next(TIMEOUT);
      if (line === ".") return lines;
      lines.push(line.startsWith(".") ? line.slice(1) : line);
    }
  }
}

/** `1 abc` a line. */
function numbered(lines: readonly string[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const line of lines) {
    const [, number, value] = /^(\d{1,10}) +(\S+)/.exec(line) ?? [];
    if (number === undefined || value === undefined) {
      throw new OldServerError(`the server lists "${printable(line, 80)}"`);
    }
    found.set(Number(number), value);
  }
  return found;
}

/** Finds the entry of each row: same header and size, then same header; where several fit, in order. */
async function matchHeaders(open: OpenIds, remotes: readonly Remote[]): Promise<Int32Array> {
  const entryOf = new Int32Array(open.index.length).fill(-1);
  const theirs = Map.groupBy(remotes.keys(), (at) => remotes[at]!.hash);
  const ours = new Map<string, number[]>();
  for (let row = 0; row < open.index.length; row++) {
    const hash = localHash(pathOf(open, row));
    if (!theirs.has(hash)) continue;
    const rows = ours.get(hash);
    if (rows === undefined) ours.set(hash, [row]);
    else rows.push(row);
  }
  const meter = new FileMeter(ALONE);
  for (const [hash, rows] of ours) {
    const left = [...theirs.get(hash)!];
    const take = (row: number, fits: (remote: Remote) => boolean): boolean => {
      const index = left.findIndex((at) => fits(remotes[at]!));
      if (index < 0) return false;
      entryOf[row] = left.splice(index, 1)[0]!;
      return true;
    };
    const isAlone = rows.length === 1 && left.length === 1;
    const rest: number[] = [];
    for (const row of rows) {
      const size = isAlone ? NaN : await sizeOf(pathOf(open, row), meter);
      if (!take(row, (remote) => isAlone || remote.size === size)) rest.push(row);
    }
    for (const row of rest) take(row, () => true);
  }
  return entryOf;
}

async function sizeOf(path: string, meter: FileMeter): Promise<number> {
  const { file, look } = openRegular(path);
  using opened = file;
  return (await meter.measure(opened, look.size)).size;
}

/** The hash of a file's header. */
function localHash(path: string): string {
  const { file } = openRegular(path);
  using opened = file;
  const octets = new Uint8Array(64 * 1024);
  const parts: string[] = [];
  const decoder = new TextDecoder();
  for (let read = 0; read < MOST_HEADER;) {
    const count = opened.readSync(octets);
    if (count === null) break;
    read += count;
    parts.push(decoder.decode(octets.subarray(0, count), { stream: true }));
    const text = parts.length === 1 ? parts[0]! : parts.join("");
    if (/\r?\n\r?\n/.test(text)) break;
  }
  return headerHash(parts.join("").split(/\r?\n/));
}
