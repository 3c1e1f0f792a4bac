/** Builds mailboxes for tests: Maildirs and plain folders, from octets, under a folder of the test's own. */

import { dirname, join } from "node:path";

/** How a mailbox is laid out on disk. */
export type Layout = "maildir" | "folder";

/** A message to be put into a mailbox. */
export interface MailboxMessage {
  readonly bytes: Uint8Array;
  /** File name; made from the message's place in the list when absent. */
  readonly name?: string;
  /**
   * Folder of a Maildir.
   *
   * @default "new"
   */
  readonly folder?: "new" | "cur" | "tmp";
}

/** The file name that message number `number` gets unless the test names one; sorts in delivery order. */
export function defaultName(number: number, layout: Layout): string {
  return layout === "maildir"
    ? `${1_700_000_000 + number}.M${100_000 + number}P1.host`
    : `${String(number).padStart(6, "0")}.eml`;
}

/**
 * Makes a mailbox anew; what was there goes.
 *
 * @param path the mailbox itself
 */
export async function makeMailbox(
  path: string,
  layout: Layout,
  messages: readonly (MailboxMessage | Uint8Array)[],
): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const folders = layout === "maildir" ? ["cur", "new", "tmp"] : [""];
  for (const folder of folders) await Deno.mkdir(join(path, folder), { recursive: true });
  let number = 0;
  for (const entry of messages) {
    number++;
    const message = entry instanceof Uint8Array ? { bytes: entry } : entry;
    await deliver(path, layout, { name: defaultName(number, layout), ...message });
  }
}

/** Puts one more message into a mailbox, the way that delivery agents do: written aside, then renamed. */
export async function deliver(
  path: string,
  layout: Layout,
  message: MailboxMessage & { readonly name: string },
): Promise<string> {
  const target = layout === "maildir"
    ? join(path, message.folder ?? "new", message.name)
    : join(path, message.name);
  const aside = layout === "maildir"
    ? join(path, "tmp", `.${message.name}.part`)
    : join(path, `.${message.name}.part`);
  await Deno.writeFile(aside, message.bytes);
  await Deno.rename(aside, target);
  // In a plain folder the file's time tells the order.
  const number = Number(message.name.match(/^\d+/)?.[0] ?? 0);
  if (layout === "folder") await Deno.utime(target, 1_700_000_000 + number, 1_700_000_000 + number);
  return target;
}

/** The message files of a mailbox, as paths relative to it, in order of their file names. */
export async function messageFiles(path: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["", "new", "cur"]) {
    try {
      for await (const entry of Deno.readDir(join(path, folder))) {
        if (entry.isFile && !entry.name.startsWith(".")) found.push(join(folder, entry.name));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const nameOf = (file: string): string => file.slice(file.lastIndexOf("/") + 1);
  return found.sort((a, b) => nameOf(a) < nameOf(b) ? -1 : 1);
}

/** A message of exactly so many octets in wire form (at least 40), with CRLF line ends and readable lines. */
export function messageOfSize(octets: number, subject: string = "sample"): Uint8Array<ArrayBuffer> {
  const header = `From: a@example.org\r\nSubject: ${subject}\r\n\r\n`;
  const bytes = new Uint8Array(octets).fill(0x78);
  const head = new TextEncoder().encode(header).subarray(0, octets);
  if (octets < head.length + 2) {
    throw new RangeError(`A sample message has at least ${head.length + 2} octets: ${octets}`);
  }
  bytes.set(head);
  for (let at = head.length + 72; at < octets - 4; at += 74) bytes.set([13, 10], at);
  bytes.set([13, 10], octets - 2);
  return bytes;
}

/** A folder that goes with the test. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes a folder for one test. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "postern-test-" }));
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Where a test file's project lies: the folder that holds deno.json. */
export const projectRoot: string = dirname(dirname(import.meta.dirname!));
