/** Messages that servers have been known to get wrong, and what each must be on the wire. */

import { Buffer } from "node:buffer";

/** Text to octets, one a character (U+0000–U+00FF), so that any octet can be written in a test. */
export function octetsOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Octets to text, one character an octet: the inverse of {@linkcode octetsOf}. */
export function textOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1");
}

/** Small messages by name, as they are stored. */
export const AWKWARD_MESSAGES: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map([
  ...Object.entries({
    "empty": "",
    "LF": "Subject: a\nTo: b\n\nBody\nmore\n",
    "CRLF": "Subject: a\r\nTo: b\r\n\r\nBody\r\nmore\r\n",
    "mixed line ends": "Subject: a\r\nTo: b\n\r\nBody\nmore\r\n",
    "mixed line ends, empty line LF": "Subject: a\r\nTo: b\r\n\nBody\nmore\r\n",
    "no final line end": "Subject: a\n\nBody",
    "no final line end after CRLF": "Subject: a\r\n\r\nBody",
    "ends with a bare CR": "Subject: a\r\n\r\nBody\r",
    "ends with CR CR": "Subject: a\r\n\r\nBody\r\r",
    "bare CR inside": "Sub\rject: a\n\n\rBo\rdy\n",
    "bare CR alone where the empty line would be": "Subject: a\n\rTo: b\n\nBody\n",
    "bare CR before a dot": "a\n\nb\r.c\n",
    "CR CR LF": "Subject: a\r\r\n\r\r\nBody\r\r\n\r\n.\r\r\n",
    "NUL": "Subject: \0\n\n\0.\0\n\0\n.\0\n",
    "8-bit": "Subject: \xe4\xf6\xfc\n\n\xff\xfe\x80\n.\x8d\x8a\xae\n",
    "dots at line starts": "Subject: a\n\n.a\n..b\r\n...c\n",
    "leading-dot first line": ".Subject: a\n\nBody\n",
    "leading-dot first line CRLF": ".Subject: a\r\n\r\nBody\r\n",
    "terminators inside, LF": "a: b\n\n.\nMAIL\n.\n\n.\n",
    "terminators inside, CRLF": "a: b\r\n\r\n.\r\nMAIL\r\n.\r\n\r\n.\r\n",
    "only a dot": ".",
    "only dots": "....",
    "only a dot line": ".\n",
    "only a dot line, CRLF": ".\r\n",
    "only LF": "\n",
    "only CRLF": "\r\n",
    "only CR": "\r",
    "LF CR": "\n\r",
    "only LFs": "\n\n\n\n",
    "header only": "Subject: a\nTo: b\n",
    "header only, no final line end": "Subject: a\r\nTo: b",
    "header and empty line": "Subject: a\r\n\r\n",
    "no header": "\nBody\n.\n",
    "no header, CRLF": "\r\nBody\r\n.\r\n",
    "folded header": "Subject: a\n\tb\n .c\n\nBody\n",
    "line of white space is no empty line": "Subject: a\n \nTo: b\n\t\r\n\nBody\n",
    "quoted parts": "a: b\n\n> \n>.\n-- \n--\n",
    "ends with a dot": "a: b\n\nend\n.",
    "ends with CRLF and a dot": "a: b\r\n\r\nend\r\n.",
    "UTF-8 with line separators": "a: b\n\n\xe2\x80\xa8.\xc2\x85.\x0b.\x0c.\n",
  }).map(([name, text]): [string, Uint8Array<ArrayBuffer>] => [name, octetsOf(text)]),
  ...vectorBorders(),
]);

/** Big messages by name: a few MiB, for tests that do not cut at every octet. */
export const BIG_MESSAGES: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map([
  ["one line of 3 MiB", longLine()],
  ["long header", octetsOf("X-Long: value of a header field\n".repeat(60_000) + "\nBody\n")],
  ["3 MiB of dots", new Uint8Array(3 << 20).fill(0x2e)],
  ["1 MiB of dot lines", octetsOf(".\n".repeat(1 << 19))],
  ["1 MiB of LFs", new Uint8Array(1 << 20).fill(0x0a)],
  ["1 MiB of CRs", new Uint8Array(1 << 20).fill(0x0d)],
  [
    "2 MiB, CRLF",
    octetsOf("A line as people write them, of no great length.\r\n".repeat(42_000)),
  ],
  [
    "2 MiB, LF",
    octetsOf("A line as people write them, of no great length.\n".repeat(42_000)),
  ],
]);

/**
 * What a stored message must be between the answer's first line and the terminator with dot-stuffing undone,
 * said as simply as can be: the reference for everything else.
 */
export function wireForm(stored: Uint8Array): Uint8Array<ArrayBuffer> {
  const form = textOf(stored).replaceAll(/(?<!\r)\n/g, "\r\n");
  return octetsOf(form.endsWith("\n") ? form : `${form}\r\n`);
}

/**
 * What a client receives for a stored message, terminator included, said as simply as can be (RFC 1939, section
 * 3).
 */
export function stuffedForm(stored: Uint8Array): Uint8Array<ArrayBuffer> {
  return octetsOf(`${textOf(wireForm(stored)).replaceAll(/(?<=^|\n)\./g, "..")}.\r\n`);
}

/**
 * Undoes dot-stuffing as a client does.
 *
 * @throws {Error} when the octets do not end with the one terminator they hold
 */
export function unstuffed(wire: Uint8Array): Uint8Array<ArrayBuffer> {
  const lines = textOf(wire).split("\r\n");
  const end = lines.indexOf(".");
  if (end < 0) throw new Error("The message has no terminator.");
  if (end !== lines.length - 2 || lines.at(-1) !== "") {
    throw new Error(`The message has octets behind the terminator on line ${end + 1}.`);
  }
  const content = lines.slice(0, end).map((line) => line.startsWith(".") ? line.slice(1) : line);
  return octetsOf(content.map((line) => `${line}\r\n`).join(""));
}

function longLine(): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(3 << 20).fill(0x78);
  message.set(octetsOf("a: b\n\n."));
  return message;
}

/**
 * Everything that matters, on both sides of every border of a 16-octet vector and of the 64 octets that the
 * kernel looks at together.
 */
function vectorBorders(): [string, Uint8Array<ArrayBuffer>][] {
  const pieces = {
    "LF": "\n",
    "CRLF": "\r\n",
    "dot line": "\n.",
    "CRLF dot": "\r\n.",
    "CR": "\r",
    "CR dot": "\r.",
  };
  const messages: [string, Uint8Array<ArrayBuffer>][] = [];
  for (const place of [15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129]) {
    for (const [name, piece] of Object.entries(pieces)) {
      for (const start of [place - piece.length, place - 1, place]) {
        const text = "x".repeat(start) + piece;
        messages.push([`${name} at ${start}`, octetsOf(text)]);
        messages.push([`${name} at ${start}, more behind`, octetsOf(text + "y".repeat(140))]);
      }
    }
  }
  return messages;
}
