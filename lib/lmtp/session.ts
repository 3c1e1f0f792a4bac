/** One LMTP connection (RFC 2033): commands, recipients, messages, and an answer for each recipient. */

import { DataDecoder } from "./data_decoder.ts";
import { readPath } from "./envelope.ts";
import { LineReader, type Source } from "./line_reader.ts";
import { replyToTrouble, TOO_LARGE } from "./replies.ts";
import type { LmtpServices, Recipient, RecipientMessage } from "./services.ts";

/** Recipients of a message (RFC 5321, section 4.5.3.1.8). */
const MOST_RECIPIENTS = 100;
/** Commands in a row that are none, after which a session ends. */
const MOST_BAD = 20;

/** The client's end of a connection. */
export interface LmtpPeer extends Source {
  readonly name: string;
  write(octets: Uint8Array): Promise<number>;
  /** Told when a message begins to come, and when all its recipients are answered. Returns whether the session may go on. */
  receiving?(isReceiving: boolean): boolean;
}

interface Addressee {
  readonly address: string;
  readonly recipient: Recipient;
}

/** A session. */
export class LmtpSession {
  readonly #peer: LmtpPeer;
  readonly #services: LmtpServices;
  readonly #reader: LineReader;
  #greeted = false;
  /** The sender; undefined before MAIL. */
  #from: string | undefined;
  #addressees: Addressee[] = [];
  #bad = 0;
  #answers = "";
  /** Whether the session ends with the next answer. */
  #ends = false;

  constructor(peer: LmtpPeer, services: LmtpServices) {
    this.#peer = peer;
    this.#services = services;
    this.#reader = new LineReader(peer);
  }

  /** Serves the client to its end. @throws {Error} when the connection fails */
  async run(): Promise<void> {
    await this.#send(`220 ${this.#services.serverName} LMTP Postern ready`);
    while (!this.#ends) {
      const line = await this.#reader.line();
      if (line === undefined) return;
      const answer = await this.#obey(line);
      if (answer !== undefined) this.#answers += `${answer}\r\n`;
      // Answers of one group leave together.
      if (!this.#reader.hasLine || this.#ends) await this.#flush();
    }
  }

  async #obey(line: string): Promise<string | undefined> {
    if (line === "too-long") return this.#refuse("500 5.5.2 The line is too long");
    const [, verb = "", rest = ""] = /^([A-Za-z]{1,16})(?: (.*))?$/s.exec(line.trimEnd()) ?? [];
    switch (verb.toUpperCase()) {
      case "LHLO":
        return this.#hello(rest);
      case "MAIL":
        return this.#mail(rest);
      case "RCPT":
        return await this.#rcpt(rest);
      case "DATA":
        return await this.#data(rest);
      case "RSET":
        this.#reset();
        return "250 2.0.0 OK";
      case "NOOP":
        return "250 2.0.0 OK";
      case "VRFY":
        return "252 2.5.0 Send mail to find out";
      case "QUIT":
        this.#ends = true;
        return `221 2.0.0 ${this.#services.serverName} bye`;
      case "HELO":
      case "EHLO":
        return this.#refuse("500 5.5.1 This is LMTP: say LHLO");
      default:
        return this.#refuse("500 5.5.2 Unknown command");
    }
  }

  #hello(name: string): string {
    if (name.trim() === "") return this.#refuse("501 5.5.4 Expected LHLO and a name");
    this.#greeted = true;
    this.#reset();
    const { maxMessageSize, serverName } = this.#services;
    const extensions = ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8"];
    const lines = [serverName, ...extensions, `SIZE ${maxMessageSize}`];
    return lines.map((text, at) => `250${at === lines.length - 1 ? " " : "-"}${text}`).join("\r\n");
  }

  #mail(rest: string): string {
    if (!this.#greeted) return this.#refuse("503 5.5.1 Say LHLO first");
    if (this.#from !== undefined) return this.#refuse("503 5.5.1 A message is under way: say RSET");
    const path = readPath(rest, "FROM");
    if (path === undefined) return this.#refuse("501 5.5.4 Expected MAIL FROM:<address>");
    for (const [key, value] of path.parameters) {
      const isKnown = key === "SMTPUTF8"
        ? value === ""
        : key === "BODY"
        ? /^(7BIT|8BITMIME)$/i.test(value)
        : key === "SIZE" && /^\d{1,20}$/.test(value);
      if (!isKnown) return this.#refuse(`555 5.5.4 Unsupported parameter`);
    }
    const { maxMessageSize } = this.#services;
    if (maxMessageSize > 0 && Number(path.parameters.get("SIZE") ?? 0) > maxMessageSize) {
      return TOO_LARGE;
    }
    this.#size = Number(path.parameters.get("SIZE") ?? 0);
    this.#from = path.address;
    return "250 2.1.0 OK";
  }

  /** Octets that the client announced. */
  #size = 0;

  async #rcpt(rest: string): Promise<string> {
    if (this.#from === undefined) return this.#refuse("503 5.5.1 Say MAIL first");
    const path = readPath(rest, "TO");
    if (path === undefined || path.address === "") {
      return this.#refuse("501 5.5.4 Expected RCPT TO:<address>");
    }
    if (path.parameters.size > 0) return this.#refuse("555 5.5.4 Unsupported parameter");
    if (this.#addressees.length >= MOST_RECIPIENTS) return "452 4.5.3 Too many recipients";
    const { address } = path;
    const fact = { to: address, from: this.#from, peer: this.#peer.name, size: this.#size };
    try {
      const recipient = await this.#services.recipient(address);
      if (recipient === undefined) {
        this.#services.refused({ ...fact, error: new Error("There is no such user") });
        return "550 5.1.1 There is no such user";
      }
      await recipient.check(this.#size);
      this.#addressees.push({ address, recipient });
      return "250 2.1.5 OK";
    } catch (error) {
      this.#services.refused({
        ...fact,
        error: error instanceof Error ? error : new Error(String(error)),
      });
      return replyToTrouble(error);
    }
  }

  async #data(rest: string): Promise<string | undefined> {
    if (rest.trim() !== "") return this.#refuse("501 5.5.4 DATA takes no argument");
    // RFC 2033, section 4.2: without a recipient there is nobody to answer for.
    if (this.#addressees.length === 0) return this.#refuse("503 5.5.1 There is no valid recipient");
    const from = this.#from ?? "";
    const addressees = this.#addressees;
    this.#reset();
    this.#peer.receiving?.(true);
    await this.#send("354 Send the message, and end it with <CRLF>.<CRLF>");
    const copies = addressees.map((each) => new Copy(each, from));
    try {
      await this.#receive(copies);
    } finally {
      if (this.#ends) { for (const copy of copies) await copy.discard(); }
    }
    // The client left in the midst: nothing was delivered.
    if (this.#ends) return undefined;
    const replies: string[] = [];
    for (const copy of copies) replies.push(await copy.end(this.#services, this.#peer.name));
    if (this.#peer.receiving?.(false) === false) this.#ends = true;
    return replies.join("\r\n");
  }

  /** Reads the message into all copies. Sets the end where the client leaves before its own. */
  async #receive(copies: readonly Copy[]): Promise<void> {
    const { maxMessageSize } = this.#services;
    const decoder = new DataDecoder();
    let size = 0;
    try {
      for (;;) {
        const octets = await this.#reader.octets();
        if (octets === undefined) {
          this.#ends = true;
          return;
        }
        const { decoded, end } = decoder.push(octets);
        size += decoded.length;
        const isTooLarge = maxMessageSize > 0 && size > maxMessageSize;
        for (const copy of copies) {
          if (isTooLarge) await copy.refuse(TOO_LARGE);
          else await copy.write(decoded);
        }
        this.#reader.take(end ?? octets.length);
        if (end !== undefined) return;
      }
    } catch (error) {
      this.#ends = true;
      throw error;
    }
  }

  #reset(): void {
    this.#from = undefined;
    this.#addressees = [];
    this.#size = 0;
  }

  #refuse(answer: string): string {
    if (++this.#bad < MOST_BAD) return answer;
    this.#ends = true;
    return "421 4.7.0 Too many bad commands";
  }

  async #send(answer: string): Promise<void> {
    this.#answers += `${answer}\r\n`;
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const octets = new TextEncoder().encode(this.#answers);
    this.#answers = "";
    for (let at = 0; at < octets.length;) at += await this.#peer.write(octets.subarray(at));
  }
}

/** One recipient's copy of a message under way. A recipient whose disk is full is no other's trouble. */
class Copy {
  readonly #addressee: Addressee;
  readonly #from: string;
  #message: RecipientMessage | undefined;
  #refusal: string | undefined;
  #error: Error | undefined;
  #size = 0;

  constructor(addressee: Addressee, from: string) {
    this.#addressee = addressee;
    this.#from = from;
  }

  async write(octets: Uint8Array): Promise<void> {
    if (this.#refusal !== undefined) return;
    try {
      this.#message ??= await this.#addressee.recipient.open(this.#from);
      await this.#message.write(octets);
      this.#size += octets.length;
    } catch (error) {
      await this.#fail(error);
    }
  }

  async refuse(answer: string): Promise<void> {
    if (this.#refusal !== undefined) return;
    this.#refusal = answer;
    this.#error = new Error("The message is larger than max_message_size");
    await this.discard();
  }

  /** Delivers. @returns the answer for this recipient */
  async end({ delivered, refused }: LmtpServices, peer: string): Promise<string> {
    const fact = { to: this.#addressee.address, from: this.#from, peer, size: this.#size };
    if (this.#refusal === undefined) {
      try {
        this.#message ??= await this.#addressee.recipient.open(this.#from);
        const name = await this.#message.deliver();
        delivered({ ...fact, name });
        return "250 2.0.0 Delivered";
      } catch (error) {
        await this.#fail(error);
      }
    }
    refused({ ...fact, error: this.#error ?? new Error("refused") });
    return this.#refusal!;
  }

  async discard(): Promise<void> {
    await this.#message?.[Symbol.asyncDispose]();
    this.#message = undefined;
  }

  async #fail(error: unknown): Promise<void> {
    this.#refusal = replyToTrouble(error);
    this.#error = error instanceof Error ? error : new Error(String(error));
    await this.discard();
  }
}
