/** Reads the notes of an ELF file, and what `deno compile` wrote into one: how a test looks into a binary that it cannot run. */

const decoder = new TextDecoder();

/** Program header type of notes (ELF specification, "Program Header"). */
const PT_NOTE = 4;

/** A note of an ELF file: whose it is, and what it says. */
export interface ElfNote {
  readonly owner: string;
  readonly type: number;
  readonly content: Uint8Array;
}

/**
 * All notes of a 64-bit little-endian ELF file.
 *
 * @throws {Error} when it is something else
 */
export function elfNotes(file: Uint8Array): ElfNote[] {
  if (decoder.decode(file.subarray(0, 4)) !== "\x7fELF" || file[4] !== 2 || file[5] !== 1) {
    throw new Error("This is no 64-bit little-endian ELF file.");
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headers = Number(view.getBigUint64(32, true));
  const [size, count] = [view.getUint16(54, true), view.getUint16(56, true)];
  const notes: ElfNote[] = [];
  for (let header = headers; header < headers + size * count; header += size) {
    if (view.getUint32(header, true) !== PT_NOTE) continue;
    let at = Number(view.getBigUint64(header + 8, true));
    const end = at + Number(view.getBigUint64(header + 32, true));
    while (at + 12 <= end) {
      const [ownerSize, contentSize, type] = [0, 4, 8].map((o) => view.getUint32(at + o, true));
      const owner = at + 12;
      const content = owner + padded(ownerSize!);
      notes.push({
        owner: decoder.decode(file.subarray(owner, owner + ownerSize!)).replace(/\0+$/, ""),
        type: type!,
        content: file.subarray(content, content + contentSize!),
      });
      at = content + padded(contentSize!);
    }
  }
  return notes;
}

/** What `deno compile` embedded, as far as tests ask. */
export interface Embedded {
  /** As the command line's flags: a list without entries allows all, null nothing. */
  readonly permissions: Readonly<Record<string, readonly string[] | boolean | null>>;
  readonly entryPoint: string;
  /** Features that are switched on, as `net`. */
  readonly unstable: readonly string[];
  /** Paths of all files, those of packages included, in order. */
  readonly files: readonly string[];
}

/**
 * Reads the note of the owner `SUI`, in which Deno 2.9 keeps two JSON texts among other things: the metadata, and the file tree.
 *
 * @throws {Error} when there is none, or it looks otherwise
 */
export function embeddedByDeno(file: Uint8Array): Embedded {
  const note = elfNotes(file).find(({ owner }) => owner === "SUI");
  if (note === undefined) throw new Error("The file has no note of Deno's.");
  const metadata = JSON.parse(jsonFrom(note.content, `{"argv":`));
  const tree = JSON.parse(jsonFrom(note.content, `[{"Dir":`));
  return {
    permissions: metadata.permissions,
    entryPoint: metadata.entrypoint_key,
    unstable: metadata.unstable_config.features,
    files: [...paths(tree, "")].sort(),
  };
}

type Entry =
  | { readonly Dir: { readonly n: string; readonly e: readonly Entry[] } }
  | { readonly File: { readonly n: string } }
  | { readonly Symlink: { readonly n: string } };

function* paths(entries: readonly Entry[], folder: string): Generator<string> {
  for (const entry of entries) {
    if ("Dir" in entry) yield* paths(entry.Dir.e, `${folder}${entry.Dir.n}/`);
    else yield folder + ("File" in entry ? entry.File.n : entry.Symlink.n);
  }
}

/** The JSON text that begins so: up to its closing bracket, strings skipped. */
function jsonFrom(content: Uint8Array, beginning: string): string {
  const start = indexOf(content, new TextEncoder().encode(beginning));
  if (start < 0) throw new Error(`Deno's note holds nothing that begins with ${beginning}`);
  let depth = 0;
  let quoted = false;
  for (let at = start; at < content.length; at++) {
    const octet = content[at]!;
    if (quoted) {
      if (octet === 0x5c) at++;
      else if (octet === 0x22) quoted = false;
    } else if (octet === 0x22) quoted = true;
    else if (octet === 0x7b || octet === 0x5b) depth++;
    else if (octet === 0x7d || octet === 0x5d) {
      if (--depth === 0) return decoder.decode(content.subarray(start, at + 1));
    }
  }
  throw new Error(`What begins with ${beginning} has no end`);
}

function indexOf(content: Uint8Array, part: Uint8Array): number {
  for (let at = content.indexOf(part[0]!); at >= 0; at = content.indexOf(part[0]!, at + 1)) {
    if (part.every((octet, index) => content[at + index] === octet)) return at;
  }
  return -1;
}

/** Fields of a note begin at multiples of four. */
function padded(octets: number): number {
  return (octets + 3) & ~3;
}
