/** Names of new messages in a Maildir (https://cr.yp.to/proto/maildir.html), with the sizes that Maildir++ puts into them. */

/** What sets apart the messages of one process. */
export interface NameSource {
  readonly pid: number;
  readonly hostName: string;
  /** @default {Date.now} */
  readonly now?: () => number;
}

/** Makes names that come once: time, process, count, chance and host. */
export class DeliveryNames {
  readonly #source: NameSource;
  readonly #host: string;
  #count = 0;

  constructor(source: NameSource) {
    this.#source = source;
    // A slash, a colon or a comma in a host's name would end the name, or one of its fields.
    this.#host = source.hostName.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "") ||
      "localhost";
  }

  /** The next name, without sizes. */
  next(): string {
    const { pid, now = Date.now } = this.#source;
    const at = now();
    // The microseconds keep the order of messages of one millisecond.
    const micros = String((at % 1000) * 1000 + this.#count % 1000).padStart(6, "0");
    const random = crypto.getRandomValues(new Uint8Array(6)).toHex();
    return `${Math.floor(at / 1000)}.M${micros}P${pid}Q${++this.#count}R${random}.${this.#host}`;
  }
}

/** A name with the octets of the file, and those that a client is sent. */
export function withSizes(name: string, stored: number, sent: number): string {
  return `${name},S=${stored},W=${sent}`;
}
