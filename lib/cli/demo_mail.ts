/** Makes a mail folder with mailboxes to try, and the users who own them. */

import { join } from "node:path";

/** How much is made. */
export interface DemoMail {
  readonly users: number;
  /** In each mailbox. */
  readonly messages: number;
  /** Octets of each message, as RETR sends it. */
  readonly size: number;
}

/** What was made. */
export interface DemoFolder {
  /** For `--maildir`. */
  readonly maildir: string;
  /** For `--users`. */
  readonly users: string;
}

/** Octets of the smallest message: its header and one line. */
export const LEAST_SIZE = 320;
/** The first message's delivery, seconds since 1970; each later one comes an hour after it. */
const FIRST = Date.UTC(2026, 0, 1, 9) / 1000;
const SENTENCE =
  "This message was made to try Postern: it says the same again and again, until it is as long as it was to be.";

/** The name of a demo user, counted from 1; the password is the same. */
export function demoUser(number: number): string {
  return number === 1 ? "demo" : `demo${number}`;
}

/**
 * Makes them.
 *
 * @param folder an empty folder
 * @throws {Error} of the file system
 */
export async function makeDemoMail(folder: string, mail: DemoMail): Promise<DemoFolder> {
  const maildir = join(folder, "mail");
  const users = join(folder, "users");
  let lines = "";
  for (let number = 1; number <= mail.users; number++) {
    const user = demoUser(number);
    await makeMailbox(join(maildir, user), user, mail);
    lines += `${user}:{PLAIN}${user}\n`;
  }
  await Deno.writeTextFile(users, lines, { mode: 0o600 });
  return { maildir, users };
}

async function makeMailbox(path: string, user: string, mail: DemoMail): Promise<void> {
  for (const name of ["cur", "new", "tmp"]) {
    await Deno.mkdir(join(path, name), { recursive: true, mode: 0o700 });
  }
  for (let number = 1; number <= mail.messages; number++) {
    const at = FIRST + number * 3600;
    const name = `${at}.M${100_000 + number}P1.postern-demo`;
    await Deno.writeFile(join(path, "new", name), message(user, number, at, mail.size), {
      mode: 0o600,
    });
  }
}

/** A message of exactly so many octets, with CRLF line ends and lines that people can read. */
function message(user: string, number: number, at: number, size: number): Uint8Array {
  const head = [
    "From: Postern <postern@example.org>",
    `To: ${user} <${user}@example.org>`,
    `Subject: Message ${number} for ${user}`,
    `Date: ${new Date(at * 1000).toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${at}.${number}.${user}@example.org>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "",
  ].join("\r\n");
  const line = `${SENTENCE}\r\n`;
  const body = size - head.length;
  // The last line takes what is left; one of a single octet could not end in CRLF.
  const lines = Math.max(0, Math.floor(body / line.length) - 1);
  const left = body - lines * line.length;
  const text = `${head}${line.repeat(lines)}${SENTENCE.repeat(2).slice(0, left - 2)}\r\n`;
  return new TextEncoder().encode(text);
}
