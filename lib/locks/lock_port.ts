/** Lends users' locks to other programs of the same account (`postern import`): a socket beside the state file, which the server holds. */

import { dirname } from "node:path";
import type { Lease } from "../contracts/login_service.ts";
import type { Locks } from "../contracts/locks.ts";
import { isFileError, isNotFound } from "../files/file_error.ts";

/*
 * Lines of JSON. A request is a user's name; the answer is "taken" or "in-use". A lock is held until the next request, or the connection's end.
 */

/** Names the holder of a lock; no session is called so. */
const HOLDER = "(import)";
/** Octets of a request at most. */
const LONGEST_REQUEST = 4096;

/**
 * Where the socket of a state file lies. Its folder is the server's account's alone, so that nobody else can keep users from their mail.
 *
 * @param state the state file's path
 */
export function lockSocketPath(state: string): string {
  return `${state}-locks/socket`;
}

/** The open socket. Disposing closes it, and gives back what was lent. */
export class LockPort implements AsyncDisposable {
  readonly #listener: Deno.Listener;
  readonly #path: string;
  readonly #locks: Locks;
  readonly #connections = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;

  private constructor(listener: Deno.Listener, path: string, locks: Locks) {
    this.#listener = listener;
    this.#path = path;
    this.#locks = locks;
    this.#serving = this.#serve();
  }

  /**
   * Opens it. The caller holds the state file, so that another server's socket cannot be in its place.
   *
   * @throws {Error} when it cannot be made
   */
  static open(state: string, locks: Locks): LockPort {
    const path = lockSocketPath(state);
    try {
      Deno.mkdirSync(dirname(path), { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (!Deno.lstatSync(dirname(path)).isDirectory) throw error;
      Deno.chmodSync(dirname(path), 0o700);
    }
    removeSocket(path);
    return new LockPort(Deno.listen({ transport: "unix", path }), path, locks);
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      void this.#answer(connection).finally(() => {
        this.#connections.delete(connection);
        close(connection);
      });
    }
  }

  /** Serves one program until it goes. */
  async #answer(connection: Deno.Conn): Promise<void> {
    let lease: Lease | undefined;
    try {
      for await (const request of requests(connection)) {
        await lease?.[Symbol.asyncDispose]();
        lease = undefined;
        if (request !== "") lease = await this.#locks.take(request, HOLDER, { sessions: 1 });
        const answer = lease === undefined ? "in-use" : "taken";
        await writeAll(connection, `${JSON.stringify(answer)}\n`);
      }
    } catch (error) {
      // A program that was killed, or says what none of ours does, is done with.
      if (!isConnectionError(error) && !(error instanceof SyntaxError)) throw error;
    } finally {
      await lease?.[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
    await this.#serving;
    removeSocket(this.#path);
    removeFolder(dirname(this.#path));
  }
}

/** The locks of a running server. Disposing gives back the one that is held. */
export class LentLocks implements Disposable {
  readonly #connection: Deno.Conn;
  readonly #answers: AsyncGenerator<string>;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.#answers = requests(connection);
  }

  /** Asks the server that holds a state file; undefined where none does. */
  static async connect(state: string): Promise<LentLocks | undefined> {
    try {
      return new LentLocks(
        await Deno.connect({ transport: "unix", path: lockSocketPath(state) }),
      );
    } catch (error) {
      if (isNotFound(error) || error instanceof Deno.errors.ConnectionRefused) return undefined;
      throw error;
    }
  }

  /**
   * Gives back the lock that was taken before, and takes a user's.
   *
   * @param user as the server knows the user; empty to take none
   * @returns false when a session holds it
   * @throws {Error} when the server has gone
   */
  async take(user: string): Promise<boolean> {
    await writeAll(this.#connection, `${JSON.stringify(user)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Deno.errors.ConnectionReset("the server ended the connection");
    return value === "taken";
  }

  [Symbol.dispose](): void {
    close(this.#connection);
  }
}

/** The texts that come as lines of JSON. @throws {SyntaxError} for anything else */
async function* requests(connection: Deno.Conn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(LONGEST_REQUEST);
  let text = "";
  for (;;) {
    const octets = await connection.read(buffer);
    if (octets === null) return;
    text += decoder.decode(buffer.subarray(0, octets), { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield textOf(JSON.parse(text.slice(0, end)));
      text = text.slice(end + 1);
    }
    if (text.length > LONGEST_REQUEST) throw new SyntaxError("a request is too long");
  }
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new SyntaxError("a request is no text");
  return value;
}

async function writeAll(connection: Deno.Conn, text: string): Promise<void> {
  let octets = new TextEncoder().encode(text);
  while (octets.length > 0) octets = octets.subarray(await connection.write(octets));
}

function isConnectionError(error: unknown): boolean {
  return [
    Deno.errors.BadResource,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.Interrupted,
  ].some((kind) => error instanceof kind);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function removeFolder(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    // It stays where somebody put something else into it.
    if (!isFileError(error)) throw error;
  }
}

/** Removes a socket that a server which was killed left. What is none stays, and keeps this one from being made. */
function removeSocket(path: string): void {
  try {
    if (Deno.lstatSync(path).isSocket !== false) Deno.removeSync(path);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
