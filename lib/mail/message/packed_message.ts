/** Messages that are stored compressed, as Dovecot's zlib plugin does (gzip, zstd): sent and sized as the mail that they are. */

import { createGunzip, createZstdDecompress, gunzipSync, zstdDecompressSync } from "node:zlib";
import { Readable as NodeReadable } from "node:stream";
import type { YieldingTask } from "../../async/yielder.ts";
import { WireMeter, type WireSize } from "../../bytes/wire_meter.ts";
import { lookAtName } from "../folder/file_look.ts";
import { type OpenFile, openFile } from "../folder/regular_file.ts";
import { StoredFile } from "./stored_file.ts";

/** Octets that a message may have unpacked; a small file can say that it has any number. */
const MOST_UNPACKED = 1024 * 1024 * 1024;
/** Octets of a file, and of what it unpacks to, up to which it is unpacked at once. */
const SMALL_FILE = 64 * 1024;
const SMALL_UNPACKED = 1024 * 1024;
/** Octets that are read at a time. */
const PIECE = 64 * 1024;

/** How a file is packed. */
export type Packing = "gzip" | "zstd";

/** No mail begins so: these are no characters of a header. */
export function packingOf(start: Uint8Array): Packing | undefined {
  if (start[0] === 0x1f && start[1] === 0x8b && start[2] === 0x08) return "gzip";
  const isZstd = start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd;
  return isZstd ? "zstd" : undefined;
}

/** What is read. */
interface Source {
  readSync(into: Uint8Array): number | null;
}

/**
 * Unpacks a message, from its beginning.
 *
 * @throws {Error} when it cannot be unpacked: then it is no packed message
 */
async function* unpack(file: Source, packing: Packing): AsyncGenerator<Uint8Array> {
  function* pieces(): Generator<Uint8Array> {
    for (;;) {
      const piece = new Uint8Array(PIECE);
      const count = file.readSync(piece);
      if (count === null) return;
      yield piece.subarray(0, count);
    }
  }
  const unpacker = packing === "gzip" ? createGunzip() : createZstdDecompress();
  let octets = 0;
  for await (const piece of NodeReadable.from(pieces()).pipe(unpacker)) {
    octets += piece.length;
    if (octets > MOST_UNPACKED) throw new RangeError("It is too big when it is unpacked");
    yield piece;
  }
}

/**
 * Measures a packed message as it is sent.
 *
 * @param file at its beginning
 * @returns undefined when it cannot be unpacked
 */
export async function measurePacked(
  file: Source,
  packing: Packing,
  fileSize: number,
  task: YieldingTask,
): Promise<WireSize | undefined> {
  const meter = new WireMeter();
  const add = (octets: Uint8Array): void => {
    for (let at = 0; at < octets.length;) {
      const part = octets.subarray(at, at + meter.input.length);
      meter.input.set(part);
      meter.add(part.length);
      at += part.length;
    }
  };
  try {
    const small = fileSize <= SMALL_FILE ? unpackSmall(file, packing, fileSize) : undefined;
    if (small instanceof Uint8Array) add(small);
    else {
      const source = small === undefined ? file : rereading(small.read);
      for await (const piece of unpack(source, packing)) {
        add(piece);
        if (task.due()) await task.pause();
      }
    }
    return meter.finish();
  } catch (error) {
    meter.finish();
    if (error instanceof DOMException) throw error;
    return undefined;
  }
}

/** Unpacks a small file at once; what is not small when it is unpacked comes back as it was read. */
function unpackSmall(
  file: Source,
  packing: Packing,
  fileSize: number,
): Uint8Array | { readonly read: Uint8Array } {
  const octets = new Uint8Array(fileSize);
  let filled = 0;
  while (filled < fileSize) {
    const count = file.readSync(octets.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  const read = octets.subarray(0, filled);
  const options = { maxOutputLength: SMALL_UNPACKED };
  try {
    return packing === "gzip" ? gunzipSync(read, options) : zstdDecompressSync(read, options);
  } catch {
    // Too big, or damaged: the long way tells which.
    return { read };
  }
}

function rereading(octets: Uint8Array): Source {
  let at = 0;
  return {
    readSync: (into) => {
      if (at >= octets.length) return null;
      const part = octets.subarray(at, at + into.length);
      into.set(part);
      at += part.length;
      return part.length;
    },
  };
}

/** What was measured of a packed message. */
interface UnpackedSize {
  readonly size: number;
  readonly verbatim: boolean;
}

/**
 * Unpacks a message into a file of `tmp/`, which programs can read, too, and which is there for as long as it is open.
 *
 * @param folder the mailbox's
 * @param packed at its beginning; it is closed
 * @throws {Error} when it cannot be unpacked, or not be written
 */
export async function openUnpacked(
  folder: string,
  packed: OpenFile,
  { size, verbatim }: UnpackedSize,
  task: YieldingTask,
): Promise<StoredFile> {
  using source = packed;
  const start = new Uint8Array(4);
  source.readSync(start);
  source.rewind();
  const path = `${folder}/tmp/postern-unpacked.${crypto.randomUUID()}`;
  const written = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    try {
      for await (const piece of unpack(source, packingOf(start) ?? "gzip")) {
        for (let at = 0; at < piece.length;) at += written.writeSync(piece.subarray(at));
        if (task.due()) await task.pause();
      }
    } finally {
      written.close();
    }
    const look = lookAtName(path);
    const closed = (): void => remove(path);
    return new StoredFile({
      ...{ file: openFile(path), path, look, size, verbatim },
      storedSize: look.size,
      closed,
    });
  } catch (error) {
    remove(path);
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
