/** What a soak keeps books of: every message that was delivered, and what became of it as far as clients can know. */

import { wireForm } from "../support/awkward_messages.ts";

/** What is known of a message. */
export type Fate =
  /** In the mailbox: nobody asked for its end, or nobody was told that it came. */
  | "kept"
  /** A session that marked it has sent QUIT, and has not heard what came of it. */
  | "doubtful"
  /** A session that marked it saw `+OK` to QUIT. */
  | "deleted";

/** A message that was delivered. */
export interface Entry {
  readonly id: number;
  readonly user: string;
  readonly stored: Uint8Array<ArrayBuffer>;
  fate: Fate;
  /** Its unique-id, once a session was told it. */
  uid: string | undefined;
}

/** The books. */
export class Ledger {
  readonly #entries = new Map<number, Entry>();
  readonly #byUid = new Map<string, Entry>();
  /** What went against the rules, as sentences. */
  readonly faults: string[] = [];

  /** How many messages were delivered. */
  get size(): number {
    return this.#entries.size;
  }

  /** All messages. */
  get entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** How many have this fate. */
  count(fate: Fate): number {
    return this.#entries.values().filter((entry) => entry.fate === fate).toArray().length;
  }

  /** Notes a delivery, before the file is where it can be served. */
  delivered(id: number, user: string, stored: Uint8Array<ArrayBuffer>): void {
    this.#entries.set(id, { id, user, stored, fate: "kept", uid: undefined });
  }

  /**
   * Notes what RETR gave.
   *
   * @param uid what UIDL said of it in the same session
   * @returns the message, unless it is none of the books
   */
  retrieved(user: string, uid: string, wire: Uint8Array): Entry | undefined {
    const id = idOf(wire);
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (entry === undefined || entry.user !== user) {
      this.faults.push(`${user} got a message that was never delivered to them: ${id}`);
      return undefined;
    }
    if (!sameOctets(wire, wireForm(entry.stored))) {
      this.faults.push(`message ${id} of ${user} came with other octets than were delivered`);
    }
    if (entry.fate === "deleted") this.faults.push(`message ${id} of ${user} came back`);
    const other = this.#byUid.get(`${user} ${uid}`);
    if (other !== undefined && other !== entry) {
      this.faults.push(`${uid} of ${user} was message ${other.id} and is message ${id} now`);
    }
    if (entry.uid !== undefined && entry.uid !== uid) {
      this.faults.push(`message ${id} of ${user} was ${entry.uid} and is ${uid} now`);
    }
    entry.uid = uid;
    this.#byUid.set(`${user} ${uid}`, entry);
    return entry;
  }

  /**
   * The balance over what is on the disk.
   *
   * @param found the stored octets of all files in all mailboxes, by user
   */
  balance(found: Iterable<{ readonly user: string; readonly stored: Uint8Array }>): void {
    const there = new Set<number>();
    for (const { user, stored } of found) {
      const id = idOf(stored);
      const entry = id === undefined ? undefined : this.#entries.get(id);
      if (entry === undefined || entry.user !== user) {
        this.faults.push(`${user} has a file that was never delivered to them: ${id}`);
      } else if (there.has(entry.id)) {
        this.faults.push(`message ${id} of ${user} is there twice`);
      } else if (!sameOctets(stored, entry.stored)) {
        this.faults.push(`message ${id} of ${user} is stored with other octets`);
      } else there.add(entry.id);
    }
    for (const { id, user, fate } of this.entries) {
      if (fate === "kept" && !there.has(id)) this.faults.push(`message ${id} of ${user} is lost`);
      if (fate === "deleted" && there.has(id)) {
        this.faults.push(`message ${id} of ${user} is there, though QUIT said that it went`);
      }
    }
  }
}

/** The line that names a message. */
export function idLine(id: number): string {
  return `X-Soak-Id: ${id}`;
}

function idOf(octets: Uint8Array): number | undefined {
  const head = new TextDecoder("latin1").decode(octets.subarray(0, 200));
  const digits = /^X-Soak-Id: (\d+)\r?$/m.exec(head)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function sameOctets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, at) => octet === other[at]);
}
