/** A POP3 client that costs as little as TypeScript can: octets that are ready beforehand, and no more looking than the end of an answer takes. */

const encoder = new TextEncoder();
const LF = 10;

/** What a client reads and writes: a socket, plain or TLS. */
export type Socket = Pick<Deno.Conn, "read" | "write" | "close">;

/** Octets of one or more commands. */
export function lines(...commands: readonly string[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(commands.map((command) => `${command}\r\n`).join(""));
}

/** Connects with no-delay: pipelined commands would wait for acknowledgements otherwise. */
export async function connect(
  port: number,
  hostname = "127.0.0.1",
  bufferOctets = 1 << 12,
): Promise<LightClient> {
  const socket = await Deno.connect({ hostname, port });
  socket.setNoDelay();
  return new LightClient(socket, bufferOctets);
}

/** One session's client side. It asks one thing at a time, or reads to the end of all. */
export class LightClient implements Disposable {
  readonly #socket: Socket;
  readonly #buffer: Uint8Array<ArrayBuffer>;

  /** @param bufferOctets how much is read at once */
  constructor(socket: Socket, bufferOctets: number) {
    this.#socket = socket;
    this.#buffer = new Uint8Array(bufferOctets);
  }

  /** Sends octets. */
  async send(octets: Uint8Array): Promise<void> {
    let sent = await this.#socket.write(octets);
    while (sent < octets.length) sent += await this.#socket.write(octets.subarray(sent));
  }

  /**
   * Reads an answer of one line.
   *
   * @throws {Error} when it is not `+OK`
   */
  async ok(): Promise<void> {
    const answer = await this.answer();
    if (answer[0] !== 0x2b) throw new Error(`Answered: ${new TextDecoder().decode(answer)}`);
  }

  /** Reads an answer of one line, whatever it says. It is good until the next reading. */
  async answer(): Promise<Uint8Array> {
    const buffer = this.#buffer;
    let end = 0;
    do {
      end += await this.#read(end);
    } while (buffer[end - 1] !== LF);
    return buffer.subarray(0, end);
  }

  /** Sends a command and reads its answer of one line, which must be `+OK`. */
  async ask(command: Uint8Array): Promise<void> {
    await this.send(command);
    await this.ok();
  }

  /**
   * Reads an answer of several lines to its terminator, and nothing behind it.
   *
   * @param look is shown all octets as they come, the first line included
   * @returns how many they were
   */
  async multiline(look?: (octets: Uint8Array, at: number) => void): Promise<number> {
    const buffer = this.#buffer;
    let octets = 0;
    // The last five octets that came, the last one lowest.
    let tail = 0;
    while (true) {
      const read = await this.#read(0);
      if (octets === 0 && buffer[0] !== 0x2b) {
        throw new Error(`Answered: ${new TextDecoder().decode(buffer.subarray(0, read))}`);
      }
      look?.(buffer.subarray(0, read), octets);
      octets += read;
      for (let at = Math.max(0, read - 5); at < read; at++) {
        tail = (tail % 0x1_0000_0000) * 0x100 + buffer[at]!;
      }
      if (tail === TERMINATOR) return octets;
    }
  }

  /** Reads until the server closes. Returns how many octets came. */
  async rest(look?: (octets: Uint8Array, at: number) => void): Promise<number> {
    let octets = 0;
    while (true) {
      const read = await this.#socket.read(this.#buffer);
      if (read === null) return octets;
      look?.(this.#buffer.subarray(0, read), octets);
      octets += read;
    }
  }

  /** Greeting, USER and PASS. */
  async login(user: string, password = "pw"): Promise<void> {
    await this.ok();
    await this.ask(lines(`USER ${user}`));
    await this.ask(lines(`PASS ${password}`));
  }

  /** QUIT, to the end of the connection. */
  async quit(): Promise<void> {
    await this.ask(QUIT);
    await this.rest();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #read(from: number): Promise<number> {
    const buffer = this.#buffer;
    const read = await this.#socket.read(from === 0 ? buffer : buffer.subarray(from));
    if (read === null) throw new Error("The server closed the connection.");
    return read;
  }
}

/** CRLF `.` CRLF as a number. */
const TERMINATOR = 0x0d_0a_2e_0d_0a;

const QUIT = lines("QUIT");
