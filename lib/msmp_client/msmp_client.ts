/** The client of the management protocol: version 2, or version 1 where the server knows no other. */

import { printable } from "../bytes/printable.ts";
import { dial, type DialOptions, place } from "./dial.ts";
import { LoginRefusedError, NoConnectionError, RefusedError } from "./errors.ts";
import type { LineStream } from "./line_stream.ts";
import { splitLine } from "../msmp/protocol.ts";

/** Milliseconds that nothing may come in an answer which tells what happens: longer than the server lets it last. */
const LONGEST_SILENCE = 20 * 60 * 1000;

/** What the server said to a command. */
export interface Answer {
  readonly ok: boolean;
  /** What follows `+OK` or `-ERR`. */
  readonly text: string;
  readonly lines: readonly string[];
}

/** Who manages. */
export interface Login {
  readonly name: string;
  readonly password: string;
}

/** How a client is made. */
export interface MsmpClientOptions extends DialOptions {
  readonly login: Login;
  /**
   * Milliseconds without an octet after which an answer of version 1 is taken to be whole.
   *
   * @default {300}
   */
  readonly quiet?: number;
  /**
   * Milliseconds for an answer; wrong passwords are answered slowly on purpose.
   *
   * @default {60_000}
   */
  readonly patience?: number;
}

/** An answer of version 1 is never longer, in octets. */
const V1_ANSWER = 512;

/** A connection that is logged in. One command at a time. */
export class MsmpClient implements Disposable {
  readonly #lines: LineStream;
  readonly #options: MsmpClientOptions;
  #version: 1 | 2 = 1;
  /** Whether TLS protects the connection. */
  readonly secure: boolean;

  private constructor(lines: LineStream, secure: boolean, options: MsmpClientOptions) {
    this.#lines = lines;
    this.#options = options;
    this.secure = secure;
  }

  /**
   * Connects and logs in.
   *
   * @throws {NoConnectionError} when there is no server
   * @throws {LoginRefusedError} when it does not let this login in
   * @throws {RefusedError} when it does not let anybody from here in
   */
  static async connect(options: MsmpClientOptions): Promise<MsmpClient> {
    const { lines, secure } = await dial(options);
    const client = new MsmpClient(lines, secure, options);
    try {
      await client.#enter(options.login);
    } catch (error) {
      lines.close();
      throw error;
    }
    return client;
  }

  /** The version that is spoken. */
  get version(): 1 | 2 {
    return this.#version;
  }

  /** Whether the server has closed the connection, as far as is known. */
  get ended(): boolean {
    return this.#lines.ended;
  }

  /**
   * Says a command and reads its answer.
   *
   * @param line without a line end
   * @throws {NoConnectionError} when the connection is lost
   * @throws {TypeError} when the line holds a line break
   */
  async request(line: string): Promise<Answer> {
    if (/[\r\n\0]/.test(line)) throw new TypeError("A command cannot hold a line break.");
    this.#lines.takePending();
    await this.#lines.send(line);
    const answer = await this.#read(line);
    this.#lines.readAhead();
    return answer;
  }

  /**
   * Asks for snapshots and gives each as it comes, as lines `name: value` with the time first. The server sends them as one
   * long answer, with an empty line behind each, until it is sent an empty line.
   *
   * @param seconds between two
   * @param signal ends them, and the iteration; the connection serves on
   * @throws {RefusedError} when the server does not know how
   * @throws {NoConnectionError} when the connection is lost
   */
  async *watch(seconds: number, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    this.#lines.takePending();
    await this.#lines.send(`WATCH ${seconds}`);
    const first = statusOf(await this.#lines.next(this.#patience));
    if (!first.ok) throw new RefusedError(first.text);
    const stop = (): void => void this.#lines.send("").catch(() => this.#lines.close());
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      let snapshot: string[] = [];
      for (;;) {
        const line = await this.#lines.next(this.#patience + seconds * 1000);
        if (line === ".") return;
        if (line !== "") snapshot.push(line);
        else {
          if (!signal.aborted) yield snapshot;
          snapshot = [];
        }
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /**
   * Gives the lines of one long answer as they come, until the server ends it or it is sent an empty line.
   *
   * @param signal ends them, and the iteration; the connection serves on
   * @throws {RefusedError} when the server refuses
   * @throws {NoConnectionError} when the connection is lost
   */
  async *stream(command: string, signal: AbortSignal): AsyncGenerator<string> {
    this.#lines.takePending();
    await this.#lines.send(command);
    const first = statusOf(await this.#lines.next(this.#patience));
    if (!first.ok) throw new RefusedError(first.text);
    const stop = (): void => void this.#lines.send("").catch(() => this.#lines.close());
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        const line = await this.#lines.next(LONGEST_SILENCE);
        if (line === ".") return;
        if (!signal.aborted) yield line.startsWith(".") ? line.slice(1) : line;
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Says QUIT and closes. */
  async quit(): Promise<void> {
    try {
      if (!this.#lines.ended) await this.request("QUIT");
    } catch (error) {
      // Who leaves does not mind that the server was quicker.
      if (!(error instanceof NoConnectionError)) throw error;
    } finally {
      this.#lines.close();
    }
  }

  /** Closes at once. */
  [Symbol.dispose](): void {
    this.#lines.close();
  }

  get #patience(): number {
    return this.#options.patience ?? 60_000;
  }

  async #enter({ name, password }: Login): Promise<void> {
    await this.#expect(`USER ${name}`);
    await this.#expect(`PASS ${password}`);
    await this.#lines.send("MSMP 2");
    const { ok } = statusOf(await this.#lines.next(this.#patience));
    this.#version = ok ? 2 : 1;
    this.#lines.readAhead();
  }

  async #expect(line: string): Promise<void> {
    await this.#lines.send(line);
    const { ok, text } = statusOf(await this.#lines.next(this.#patience));
    if (ok) return;
    const advice = /TLS required/i.test(text)
      ? `; ${place(this.#options)} takes no password in clear and offered no TLS`
      : "";
    throw new LoginRefusedError(`${text}${advice}`);
  }

  async #read(line: string): Promise<Answer> {
    const status = statusOf(await this.#lines.next(this.#patience));
    if (!status.ok) return { ...status, lines: [] };
    const taken = splitLine(line);
    if (taken !== undefined && !taken.command.lines) return { ...status, lines: [] };
    if (this.#version === 2 && taken !== undefined) {
      return { ...status, lines: await this.#framed() };
    }
    const fixed = this.#version === 1 ? taken?.command.fixedLines?.(taken.argument) : undefined;
    return { ...status, lines: await this.#unframed(fixed) };
  }

  /** Lines up to the single dot, unstuffed. */
  async #framed(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#lines.next(this.#patience);
      if (line === ".") return lines;
      lines.push(line.startsWith(".") ? line.slice(1) : line);
    }
  }

  /**
   * Lines that nothing ends: as many as the command defines, or those that come before the server is quiet. A single dot ends
   * them, too: it is the frame of a command of version 2 that we do not know.
   */
  async #unframed(fixed: number | undefined): Promise<string[]> {
    const lines: string[] = [];
    let octets = 0;
    while (fixed === undefined || lines.length < fixed) {
      const quiet = this.#options.quiet ?? 300;
      // A number that is fixed is worth waiting for; but other servers may see it otherwise.
      const line = await this.#lines.nextWithin(fixed === undefined ? quiet : quiet * 10);
      if (line === undefined) break;
      if (this.#version === 2 && line === ".") break;
      lines.push(this.#version === 2 && line.startsWith(".") ? line.slice(1) : line);
      octets += line.length + 2;
      if (this.#version === 1 && (octets >= V1_ANSWER || /^\.\.\. \d+ more$/.test(line))) break;
    }
    return lines;
  }
}

/** Reads a status line. What the server sends besides is no MSMP. */
function statusOf(line: string): { ok: boolean; text: string } {
  const parts = /^(\+OK|-ERR)(?:\s+(.*))?$/.exec(line);
  if (parts === null) {
    throw new NoConnectionError(`the server's answer is no MSMP: "${printable(line, 60)}"`);
  }
  return { ok: parts[1] === "+OK", text: parts[2] ?? "" };
}
