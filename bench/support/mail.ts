/** Mail for benchmarks: messages of any size, mailboxes of any number. */

import { join } from "node:path";

export { messageOfSize, temporaryFolder } from "../../tests/support/mailboxes.ts";

const MIB = 1 << 20;

/** Makes an empty Maildir. */
export async function makeMaildir(path: string): Promise<void> {
  for (const folder of ["cur", "new", "tmp"]) {
    await Deno.mkdir(join(path, folder), { recursive: true });
  }
}

/** File name of message number `number` as a delivery agent gives it, without sizes. */
export function messageName(number: number): string {
  return `${1_700_000_000 + number}.M${100_000 + number % 900_000}P1.host`;
}

/** Makes a Maildir whose messages are all the same octets, seen or not as `folder` says. */
export async function makeMailbox(
  path: string,
  message: Uint8Array,
  count: number,
  folder: "new" | "cur" = "new",
): Promise<void> {
  await makeMaildir(path);
  const suffix = folder === "cur" ? ":2," : "";
  for (let number = 1; number <= count; number++) {
    Deno.writeFileSync(join(path, folder, messageName(number) + suffix), message);
  }
}

/** A big message: a block of 1 MiB again and again, so that every octet of it can be foretold. */
export interface BigMessage {
  readonly path: string;
  /** Octets of the file. */
  readonly octets: number;
  /** What one block is on the wire; none of its lines begins with a dot. */
  readonly wireBlock: Uint8Array;
  /** Octets on the wire, terminator included, without the answer's first line. */
  readonly wireOctets: number;
}

/**
 * Writes a message of `blocks` MiB.
 *
 * @param lineEnd of all its lines
 */
export async function writeBigMessage(
  path: string,
  blocks: number,
  lineEnd: "\r\n" | "\n",
): Promise<BigMessage> {
  const block = lineBlock(lineEnd);
  using file = await Deno.create(path);
  for (let written = 0; written < blocks; written++) await writeAll(file, block);
  const wireBlock = lineEnd === "\r\n" ? block : withCrlf(block);
  return { path, octets: blocks * MIB, wireBlock, wireOctets: blocks * wireBlock.length + 3 };
}

async function writeAll(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  let written = 0;
  while (written < octets.length) written += await file.write(octets.subarray(written));
}

/** 1 MiB of lines of 62 letters, as base64 has them or nearly. */
function lineBlock(lineEnd: "\r\n" | "\n"): Uint8Array<ArrayBuffer> {
  const line = 64;
  const block = new Uint8Array(MIB);
  for (let at = 0; at < MIB; at++) {
    const place = at % line;
    const last = place - (line - lineEnd.length);
    block[at] = last >= 0 ? lineEnd.charCodeAt(last) : 0x41 + ((at / line | 0) + place) % 26;
  }
  return block;
}

function withCrlf(block: Uint8Array): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(new TextDecoder().decode(block).replaceAll("\n", "\r\n"));
}
