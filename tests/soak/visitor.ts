/** A client of a soak: comes again and again as one user or another, and behaves as clients do, well or badly. */

import { Pop3Client } from "../support/pop3_client.ts";
import type { Entry, Ledger } from "./ledger.ts";

/** What a visit works with. */
export interface VisitOptions {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly ledger: Ledger;
  readonly random: () => number;
}

/** How a visit went. */
export type VisitOutcome = "done" | "in-use" | "cut-off";

/** Messages that one visit retrieves at most. */
const MOST = 12;

/** One session. Throws when the server breaks the protocol; a connection that breaks is no fault here. */
export async function visit(options: VisitOptions): Promise<VisitOutcome> {
  try {
    using client = await Pop3Client.connect({ port: options.port });
    return await new Visit(client, options).run();
  } catch (error) {
    if (isConnectionLost(error)) return "cut-off";
    throw error;
  }
}

class Visit {
  readonly #client: Pop3Client;
  readonly #options: VisitOptions;
  readonly #marked = new Set<Entry>();

  constructor(client: Pop3Client, options: VisitOptions) {
    this.#client = client;
    this.#options = options;
  }

  async run(): Promise<VisitOutcome> {
    const { user, password } = this.#options;
    const client = this.#client;
    await client.line();
    if (this.#chance(0.03)) return "done"; // Goes without a word.
    await client.ok(`USER ${user}`);
    const answer = await client.command(`PASS ${password}`);
    if (answer.startsWith("-ERR [IN-USE]")) return "in-use";
    if (!answer.startsWith("+OK ")) throw new Error(`${user}: PASS was answered ${answer}`);
    if (this.#chance(0.1)) return await this.#leave();
    const uids = await this.#uids();
    await this.#retrieve(uids);
    if (this.#chance(0.1)) {
      await client.ok("RSET");
      this.#marked.clear();
    }
    return await this.#leave();
  }

  async #uids(): Promise<Map<number, string>> {
    await this.#client.ok("UIDL");
    const lines = await this.#client.list();
    return new Map(lines.map((line): [number, string] => {
      const [number, uid] = line.split(" ");
      return [Number(number), uid!];
    }));
  }

  async #retrieve(uids: ReadonlyMap<number, string>): Promise<void> {
    const client = this.#client;
    for (const [number, uid] of [...uids].slice(0, MOST)) {
      if (this.#chance(0.02)) await this.#abandon(number);
      if (this.#chance(0.2)) {
        await client.ok(`TOP ${number} 3`);
        await client.multiline();
      }
      const entry = this.#options.ledger.retrieved(
        this.#options.user,
        uid,
        await client.retrieve(number),
      );
      if (entry !== undefined && this.#chance(0.7)) {
        await client.ok(`DELE ${number}`);
        this.#marked.add(entry);
      }
    }
  }

  /** Goes in the middle of an answer. */
  async #abandon(number: number): Promise<never> {
    await this.#client.send(`RETR ${number}\r\nRETR ${number}\r\n`);
    if (this.#chance(0.5)) await this.#client.line();
    this.#client[Symbol.dispose]();
    throw new Deno.errors.ConnectionReset("The client went away");
  }

  async #leave(): Promise<VisitOutcome> {
    if (this.#chance(0.1)) return "done"; // Without QUIT nothing is deleted.
    for (const entry of this.#marked) entry.fate = "doubtful";
    await this.#client.send("QUIT\r\n");
    if (this.#chance(0.05)) return "done"; // Never hears the answer.
    const answer = await this.#client.line();
    if (!answer.startsWith("+OK ")) throw new Error(`QUIT was answered ${answer}`);
    for (const entry of this.#marked) entry.fate = "deleted";
    await this.#client.ended();
    return "done";
  }

  #chance(share: number): boolean {
    return this.#options.random() < share;
  }
}

/** The server was killed, or the client itself went. */
function isConnectionLost(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    (error instanceof Error && error.message.includes("the connection ended"));
}
