/** A raw LMTP client for tests: sends what it is told, and reads whole answers. */

import { within } from "./waiting.ts";

/** A client. */
export class LmtpClient implements Disposable {
  readonly #connection: Deno.Conn;
  #text = "";
  #isClosed = false;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Connects, and reads the greeting. */
  static async connect(place: { port: number } | { path: string }): Promise<LmtpClient> {
    const connection = "path" in place
      ? await Deno.connect({ transport: "unix", path: place.path })
      : await Deno.connect({ hostname: "127.0.0.1", port: place.port });
    const client = new LmtpClient(connection);
    await client.answer();
    return client;
  }

  /** Sends text as it is. */
  async send(text: string | Uint8Array): Promise<void> {
    const octets = typeof text === "string" ? new TextEncoder().encode(text) : text;
    for (let at = 0; at < octets.length;) at += await this.#connection.write(octets.subarray(at));
  }

  /** One whole answer, its lines joined by LF; undefined when the server has left. */
  async answer(): Promise<string | undefined> {
    const into = new Uint8Array(16 * 1024);
    for (;;) {
      const [found] = /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n/.exec(this.#text) ?? [];
      if (found !== undefined) {
        this.#text = this.#text.slice(found.length);
        return found.replaceAll("\r\n", "\n").trimEnd();
      }
      const count = await within(this.#connection.read(into), "an LMTP answer");
      if (count === null) return undefined;
      this.#text += new TextDecoder().decode(into.subarray(0, count));
    }
  }

  /** Sends a line and reads its answer. */
  async command(line: string): Promise<string | undefined> {
    await this.send(`${line}\r\n`);
    return await this.answer();
  }

  /** Delivers a message; dots are stuffed here. @returns an answer for each recipient */
  async deliver(recipients: readonly string[], message: string): Promise<string[]> {
    await this.command("MAIL FROM:<sender@example.org>");
    for (const each of recipients) await this.command(`RCPT TO:<${each}>`);
    const go = await this.command("DATA");
    if (!go?.startsWith("354")) return [go ?? ""];
    await this.send(`${message.replaceAll(/^\./gm, "..")}.\r\n`);
    const answers: string[] = [];
    for (const _ of recipients) answers.push(await this.answer() ?? "");
    return answers;
  }

  /** Leaves without a word. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }
}
