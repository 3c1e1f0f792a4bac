/** Deliveries into mailboxes while sessions run, as delivery agents make them, and a look at what lies there in the end. */

import { join } from "node:path";
import { deliver, type Layout, messageFiles } from "../support/mailboxes.ts";
import { idLine, type Ledger } from "./ledger.ts";

/** A user of a soak. */
export interface SoakUser {
  readonly name: string;
  readonly layout: Layout;
}

/** Delivers messages of many shapes. */
export class Deliveries {
  readonly #maildir: string;
  readonly #users: readonly SoakUser[];
  readonly #ledger: Ledger;
  readonly #random: () => number;
  #last = 0;

  constructor(
    options: {
      readonly maildir: string;
      readonly users: readonly SoakUser[];
      readonly ledger: Ledger;
      readonly random: () => number;
    },
  ) {
    this.#maildir = options.maildir;
    this.#users = options.users;
    this.#ledger = options.ledger;
    this.#random = options.random;
  }

  /** Delivers one message to somebody. */
  async deliver(): Promise<void> {
    const id = ++this.#last;
    const user = this.#users[Math.floor(this.#random() * this.#users.length)]!;
    const stored = this.#message(id);
    this.#ledger.delivered(id, user.name, stored);
    const name = user.layout === "maildir"
      ? `${1_700_000_000 + id}.M${id}P1.soak`
      : `${String(id).padStart(8, "0")}.eml`;
    const mailbox = join(this.#maildir, user.name);
    if (user.layout === "maildir") await deliver(mailbox, "maildir", { bytes: stored, name });
    else await put(join(mailbox, name), stored);
  }

  #message(id: number): Uint8Array<ArrayBuffer> {
    const end = this.#random() < 0.5 ? "\n" : "\r\n";
    const lines = [idLine(id), "Subject: soak", ""];
    const many = Math.floor(this.#random() ** 4 * 4000);
    for (let line = 0; line < many; line++) {
      const kind = this.#random();
      lines.push(kind < 0.1 ? "." : kind < 0.2 ? "..x" : `line ${line} ${"y".repeat(line % 70)}`);
    }
    const last = this.#random() < 0.2 ? "" : end;
    return new TextEncoder().encode(lines.join(end) + last);
  }
}

/** Puts a file into a plain folder, its time and all at once: the time belongs to the message's unique-id. */
async function put(path: string, octets: Uint8Array): Promise<void> {
  const aside = path.replace(/[^/]*$/, ".$&.part");
  await Deno.writeFile(aside, octets);
  await Deno.rename(aside, path);
}

/** Everything that lies in the mailboxes. */
export async function* filesOf(
  maildir: string,
  users: readonly SoakUser[],
): AsyncGenerator<{ readonly user: string; readonly stored: Uint8Array }> {
  for (const { name } of users) {
    const mailbox = join(maildir, name);
    for (const file of await messageFiles(mailbox)) {
      yield { user: name, stored: await Deno.readFile(join(mailbox, file)) };
    }
  }
}
