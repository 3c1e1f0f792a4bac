/** Gives a mailbox's messages the unique-ids by which clients know them from session to session. */

import { type Catalogue, Mark } from "./catalogue.ts";
import type { Mailbox } from "./mailbox.ts";
import { uniquePart } from "./maildir_name.ts";
import type { MessageInfo } from "./mail_store.ts";
import { maildirId, plainId, twinId } from "./unique_id.ts";

/** A message of a mailbox. */
export interface FolderMessage extends MessageInfo {
  /** Of the catalogue. */
  readonly row: number;
}

/** Named messages. */
export interface NamedMessages {
  readonly messages: readonly FolderMessage[];
  /** Whether marks of the catalogue were changed. */
  readonly changed: boolean;
}

/**
 * Names the served rows.
 *
 * @param served rows in order, so that those of one unique part stand together
 */
export function nameMessages(
  mailbox: Mailbox,
  catalogue: Catalogue,
  served: readonly number[],
): NamedMessages {
  const { names, modified, storedSize, size, marks } = catalogue;
  const messages = new Array<FolderMessage>(served.length);
  if (mailbox.layout === "plain") {
    served.forEach((row, index) => {
      const uid = plainId(names[row]!, modified[row]!, storedSize[row]!);
      messages[index] = { uid, size: size[row]!, row };
    });
    return { messages, changed: false };
  }
  let changed = false;
  for (let start = 0; start < served.length;) {
    const unique = uniquePart(names[served[start]!]!);
    let end = start + 1;
    while (end < served.length && isOfUnique(names[served[end]!]!, unique)) end++;
    const marked = markGroup(catalogue, served, start, end);
    changed ||= marked;
    const copies = new Map<string, number>();
    for (let index = start; index < end; index++) {
      const row = served[index]!;
      const uid = marks[row]! & Mark.TWIN
        ? nextTwinId(copies, unique, modified[row]!, storedSize[row]!)
        : maildirId(unique);
      messages[index] = { uid, size: size[row]!, row };
    }
    start = end;
  }
  return { messages, changed };
}

function isOfUnique(name: string, unique: string): boolean {
  return name.startsWith(unique) && uniquePart(name) === unique;
}

/**
 * Decides which rows of one unique part have it as their id: the one that had it before, or one that is alone and always was. A twin stays
 * marked when its brother is gone, so that no id passes from one message to another.
 */
function markGroup(
  catalogue: Catalogue,
  served: readonly number[],
  start: number,
  end: number,
): boolean {
  const { marks } = catalogue;
  let changed = false;
  let taken = false;
  for (let index = start; index < end; index++) {
    const row = served[index]!;
    const before: number = marks[row]!;
    const isNamed: boolean = !taken && (before & Mark.TWIN) === 0 &&
      (end - start === 1 || (before & Mark.NAMED) !== 0);
    taken ||= isNamed;
    marks[row] = (before & Mark.VERBATIM) | (isNamed ? Mark.NAMED : Mark.TWIN);
    changed ||= marks[row] !== before;
  }
  return changed;
}

/** @param copies counts the twins before that look exactly the same from outside */
function nextTwinId(
  copies: Map<string, number>,
  unique: string,
  modified: number,
  storedSize: number,
): string {
  const looks = `${modified}/${storedSize}`;
  const copy = copies.get(looks) ?? 0;
  copies.set(looks, copy + 1);
  return twinId(unique, modified, storedSize, copy);
}
