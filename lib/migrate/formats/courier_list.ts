/** Courier's `courierpop3dsizelist`: with `/3`, `/2`, `/1` or no header. */

import { uniquePart } from "../../mail/naming/maildir_name.ts";
import { type IdList, IdListError, linesOf, type ListedId, refuseName } from "../id_list.ts";

/** How many fields follow the name, by the header's version; 0 stands for no header. */
const FIELDS: Readonly<Record<string, 1 | 2>> = { 0: 1, 1: 2, 2: 2, 3: 2 };

const OLD =
  "Courier takes lists of this version since 0.43 no more and gives new ids: import it only from an older Courier.";

/**
 * Reads a list.
 *
 * @throws {IdListError} when it is of another version
 */
export function readCourierList(text: string): IdList {
  const [, version = "0"] = /^\/(\d+)[ \n]/.exec(text) ?? [];
  const fields = FIELDS[version];
  if (fields === undefined) {
    throw new IdListError(`its header is of version /${version}: /1, /2, /3 and none are known`);
  }
  if (text.startsWith("/") && version === "0") throw new IdListError("its header is damaged");
  const entries: ListedId[] = [];
  const refused: string[] = [];
  for (const [line, number] of linesOf(text)) {
    if (number === 1 && version !== "0") continue;
    const place = `line ${number}`;
    const read = readLine(line, fields, version);
    const refusal = typeof read === "string" ? read : refuseName(read.name);
    if (typeof read === "string" || refusal !== undefined) refused.push(`${place}: ${refusal}`);
    else entries.push({ ...read, place });
  }
  const isOld = version === "0" || version === "1";
  return { entries, refused, notes: isOld ? [OLD] : [], ordered: true };
}

/** Fields are counted from the right, since a name may hold blanks. Returns what is wrong. */
function readLine(
  line: string,
  fields: 1 | 2,
  version: string,
): Omit<ListedId, "place"> | string {
  const form = fields === 1 ? /^(.*) (\d{1,15})$/s : /^(.*) (\d{1,15}) (\d[\d:]*)$/s;
  const [, name = "", size = "", numbers = ""] = form.exec(line) ?? [];
  if (name === "") return "it is not of the form name, size, number";
  if (fields === 1) return { name, id: named(name), size: Number(size) };
  const [, number, validity] = version === "1"
    ? /^(\d{1,15})()$/.exec(numbers) ?? []
    : /^(\d{1,15}):(\d{1,15})(?::\d*)?$/.exec(numbers) ?? [];
  if (number === undefined) return "its number is not of the form number:uidvalidity";
  const isNumbered = Number(number) !== 0;
  const suffix = Number(validity) === 0 ? "" : `-${Number(validity)}`;
  return {
    name,
    id: isNumbered ? `UID${Number(number)}${suffix}` : named(name),
    size: Number(size),
  };
}

/** The id of a message that was not given a number: its unique part, in Courier's own escapes. */
function named(name: string): string {
  let id = "";
  for (const octet of new TextEncoder().encode(uniquePart(name))) {
    const isPlain = octet > 0x20 && octet < 0x7f && !ESCAPED.has(octet);
    id += isPlain
      ? String.fromCharCode(octet)
      : `+${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return id;
}

/** `"`, `'` and `+`. */
const ESCAPED: ReadonlySet<number> = new Set([0x22, 0x27, 0x2b]);
