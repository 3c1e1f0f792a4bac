/** Dovecot's `dovecot-uidlist`, versions 1 and 3. */

import { uniquePart } from "../../mail/naming/maildir_name.ts";
import { type IdList, IdListError, linesOf, type ListedId, refuseName } from "../id_list.ts";
import type { UidlFormat } from "./uidl_format.ts";

/** A line that was read, with what decides its place. */
interface Entry extends ListedId {
  readonly uid: number;
  readonly order: number | undefined;
}

/**
 * Reads a list.
 *
 * @param format `pop3_uidl_format` of the server
 * @throws {IdListError} when it is of another version, or no such list
 */
export function readDovecotList(text: string, format: UidlFormat): IdList {
  const lines = linesOf(text);
  const [header = ""] = lines.next().value ?? [];
  const { version, uidvalidity } = readHeader(header);
  const entries = new Map<string, Entry>();
  const refused: string[] = [];
  let last = 0;
  for (const [line, number] of lines) {
    const place = `line ${number}`;
    const read = version === 3 ? readLine3(line) : readLine1(line);
    const refusal = typeof read === "string" ? read : refuse(read, last);
    if (typeof read === "string" || refusal !== undefined) {
      refused.push(`${place}: ${refusal}`);
      continue;
    }
    const { uid, name, fields } = read;
    last = uid;
    const filename = uniquePart(name);
    const pop3 = fields.get("P");
    const id = pop3 === undefined
      ? format({ uid, uidvalidity, filename, guid: fields.get("G") })
      : pop3 || filename;
    const order = Number(fields.get("O") ?? NaN);
    const size = Number(fields.get("W") ?? fields.get("S") ?? NaN);
    // A file that was given another number stands there twice; the later one counts, as it does for Dovecot.
    if (entries.has(filename)) {
      refused.push(`${entries.get(filename)!.place}: ${place} tells of the same file`);
    }
    entries.set(filename, {
      name,
      id,
      place,
      uid,
      order: Number.isNaN(order) ? undefined : order,
      ...Number.isNaN(size) ? {} : { size },
    });
  }
  const place = ({ order }: Entry): number => order ?? Infinity;
  const sorted = [...entries.values()].sort((a, b) =>
    place(a) === place(b) ? a.uid - b.uid : place(a) - place(b)
  );
  return { entries: sorted, refused, notes: [], ordered: true };
}

function readHeader(header: string): { version: 1 | 3; uidvalidity: number } {
  if (header.startsWith("3 ")) {
    const validity = header.split(" ").find((field) => /^V\d{1,10}$/.test(field));
    if (validity === undefined) throw new IdListError("its header has no V<uidvalidity>");
    return { version: 3, uidvalidity: Number(validity.slice(1)) };
  }
  const [, validity] = /^1 (\d{1,10}) \d{1,10}\s*$/.exec(header) ?? [];
  if (validity !== undefined) return { version: 1, uidvalidity: Number(validity) };
  const [version] = /^\d+(?= )/.exec(header) ?? [];
  throw new IdListError(
    version === undefined || version === "1"
      ? "it has no header of a dovecot-uidlist"
      : `its header is of version ${version}: versions 1 and 3 are known`,
  );
}

interface Line {
  readonly uid: number;
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** `<uid> [<letter><value> …] :<name>`. Returns what is wrong. */
function readLine3(line: string): Line | string {
  const [number = ""] = /^\S*/.exec(line) ?? [];
  const fields = new Map<string, string>();
  let rest = line.slice(number.length + 1);
  while (!rest.startsWith(":")) {
    const [field = ""] = /^\S*/.exec(rest) ?? [];
    if (field === "") return "it has no name";
    fields.set(field[0]!, field.slice(1));
    rest = rest.slice(field.length + 1);
  }
  return { uid: uidOf(number), name: rest.slice(1), fields };
}

/** `<uid> <name>`. */
function readLine1(line: string): Line | string {
  const blank = line.indexOf(" ");
  if (blank < 0) return "it has no name";
  return { uid: uidOf(line.slice(0, blank)), name: line.slice(blank + 1), fields: new Map() };
}

function uidOf(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : NaN;
}

function refuse({ uid, name }: Line, last: number): string | undefined {
  if (Number.isNaN(uid)) return "its uid is not a number";
  if (uid === 0) return "its uid is 0";
  if (uid <= last) return `its uid ${uid} does not follow ${last}`;
  return refuseName(name);
}
