/** One fuzzed session: what is said in it, how it is cut, and what must hold for every answer. */

import type { Chance } from "../support/chance.ts";
import { AnswerReader, BadAnswer, isMultiline } from "./answers.ts";
import {
  anyLine,
  exchangeBegins,
  exchangeLine,
  FUZZ_PASSWORD,
  FUZZ_USERS,
  MARKER,
} from "./grammar.ts";

/** Where the fuzzing begins, and over what. */
export interface Kind {
  readonly phase: "authorization" | "exchange" | "transaction";
  readonly transport: "plain" | "tls" | "stls";
}

/** Everything that is fuzzed. */
export const KINDS: readonly Kind[] = (["plain", "tls", "stls"] as const).flatMap((transport) =>
  (["authorization", "exchange", "transaction"] as const).map((phase) => ({ phase, transport }))
);

/** What is fuzzed. */
export interface Target {
  readonly port: number;
  readonly securePort: number;
  readonly ca: string;
}

const encoder = new TextEncoder();
const LF = 10;

/** A session that is under way. Its steps throw {@linkcode BadAnswer} where the server did wrong. */
export class FuzzSession implements Disposable {
  readonly #kind: Kind;
  readonly #chance: Chance;
  readonly #said: Uint8Array[] = [];
  #conn: Deno.TcpConn | Deno.TlsConn;
  #answers: AnswerReader;
  /** Whether the next line belongs to a SASL exchange. */
  #continuing = false;
  #over = false;

  private constructor(kind: Kind, chance: Chance, conn: Deno.TcpConn) {
    this.#kind = kind;
    this.#chance = chance;
    this.#conn = conn;
    this.#answers = new AnswerReader(conn);
  }

  /**
   * Plays one session to its end.
   *
   * @param user whose maildrop it may log in to; nobody else must at the same time
   * @throws {Error} when the server did wrong, with what was said to it
   */
  static async play(target: Target, kind: Kind, chance: Chance, user: number): Promise<void> {
    const secure = kind.transport === "tls";
    const conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: secure ? target.securePort : target.port,
    });
    conn.setNoDelay(true);
    using session = new FuzzSession(kind, chance, conn);
    try {
      await session.#open(target, user);
      for (let bursts = chance.between(1, 6); bursts > 0 && !session.#over; bursts--) {
        await session.#burst();
      }
      await session.#leave();
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${session.transcript}`, {
        cause: error,
      });
    }
  }

  /** The last things that were said, as a JavaScript string; what repeats itself is shortened. */
  get transcript(): string {
    const text = this.#said.slice(-40).map((octets) => new TextDecoder("latin1").decode(octets));
    const short = text.join("").replaceAll(/(.{1,12}?)\1{8,}/g, "$1…");
    return JSON.stringify(short.slice(-4000));
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch (error) {
      // It may have been handed over to TLS, which failed.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /** The address that the proxy in front tells: a user's own, or one that failed logins may be counted for. */
  async #open(target: Target, user: number): Promise<void> {
    const { phase, transport } = this.#kind;
    const chance = this.#chance;
    const address = phase === "transaction"
      ? `10.1.1.${user + 1}`
      : `10.2.${chance.between(0, 255)}.${chance.between(1, 254)}`;
    await this.#send(encoder.encode(`PROXY TCP4 ${address} 127.0.0.1 1000 110\r\n`));
    if (transport === "tls") await this.#secure(target.ca);
    if (await this.#answers.first() === undefined) throw new BadAnswer("no greeting");
    if (transport === "stls") {
      // What is said behind STLS in the same segment is forgotten.
      const injected = chance.percent(30) ? `NOOP ${MARKER}\r\nQUI` : "";
      await this.#send(encoder.encode(`STLS\r\n${injected}`));
      if (!(await this.#answers.first())?.startsWith("+OK")) throw new BadAnswer("no STLS");
      await this.#secure(target.ca);
    }
    if (phase === "transaction") {
      await this.#exchange([
        encoder.encode(`USER ${FUZZ_USERS[user]}\r\n`),
        encoder.encode(`PASS ${FUZZ_PASSWORD}\r\n`),
      ]);
    }
  }

  async #secure(ca: string): Promise<void> {
    this.#conn = await Deno.startTls(this.#conn as Deno.TcpConn, {
      hostname: "127.0.0.1",
      caCerts: [ca],
    });
    this.#answers = new AnswerReader(this.#conn);
  }

  async #burst(): Promise<void> {
    const chance = this.#chance;
    const lines: Uint8Array[] = [];
    for (let count = chance.between(1, chance.percent(10) ? 200 : 8); count > 0; count--) {
      const inExchange = this.#kind.phase === "exchange" && chance.percent(60);
      if (inExchange) {
        lines.push(exchangeBegins(chance));
        for (let more = chance.between(0, 3); more > 0; more--) lines.push(exchangeLine(chance));
      } else lines.push(anyLine(chance));
    }
    await this.#exchange(lines);
  }

  /** Sends lines, cut where chance wants it, and reads an answer to each. */
  async #exchange(lines: readonly Uint8Array[]): Promise<void> {
    const octets = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
    let at = 0;
    for (const line of lines) {
      octets.set(line, at);
      at += line.length;
    }
    const sending = this.#send(octets);
    // A client that cannot send any more finds the reason in the answers.
    sending.catch(() => {});
    await this.#readAnswers(octets);
    if (!this.#over) await sending;
  }

  async #readAnswers(octets: Uint8Array): Promise<void> {
    for (let start = 0; start < octets.length;) {
      const end = octets.indexOf(LF, start);
      if (end < 0) return;
      let line = octets.subarray(start, end);
      if (line.at(-1) === 13) line = line.subarray(0, -1);
      start = end + 1;
      const answer = await this.#answers.first();
      if (answer === undefined) {
        this.#over = true;
        return;
      }
      const multiline = !this.#continuing && answer.startsWith("+OK") && isMultiline(line);
      if (multiline) await this.#answers.rest();
      this.#continuing = answer.startsWith("+ ");
    }
  }

  async #send(octets: Uint8Array): Promise<void> {
    this.#said.push(octets);
    const chance = this.#chance;
    // A handshake may follow upon a whole segment only.
    const cuts = this.#said.length > 2 && chance.percent(60) ? chance.between(1, 6) : 0;
    const borders = Array.from({ length: cuts }, () => chance.between(0, octets.length)).sort(
      (one, other) => one - other,
    );
    let from = 0;
    for (const to of [...borders, octets.length]) {
      const part = octets.subarray(from, to);
      for (let sent = 0; sent < part.length;) sent += await this.#conn.write(part.subarray(sent));
      from = to;
      if (cuts > 0 && chance.percent(50)) {
        await new Promise((resolve) => setTimeout(resolve, chance.between(0, 3)));
      }
    }
  }

  /** Ends in one of the ways in which clients do. */
  async #leave(): Promise<void> {
    if (this.#over) return;
    const way = this.#chance.between(0, 4);
    if (way === 0) {
      // In the middle of a line, or of an answer.
      await this.#send(
        encoder.encode(this.#chance.of(["RETR 1\r\n", "LIST\r\n", "QUI", "AUTH PL"])),
      )
        .catch(() => {});
      return;
    }
    if (way <= 2) await this.#exchange([encoder.encode("QUIT\r\n")]);
    // What was meant as QUIT may have been an answer to a challenge.
    if (!this.#over) await this.#conn.closeWrite().catch(() => {});
    await this.#answers.nothing();
  }
}
