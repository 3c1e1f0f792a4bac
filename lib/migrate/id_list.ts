/** What another server's list of unique-ids tells, whatever its form. */

/** A message that is listed. */
export interface ListedId {
  /** Its file's name as it is listed; flags may follow the unique part. */
  readonly name: string;
  /** The id by which clients know it; not checked yet. */
  readonly id: string;
  /** Octets of its file, or as it is sent, as the list has them. Never believed. */
  readonly size?: number;
  /** Where it stands, for messages: `line 5`. */
  readonly place: string;
}

/** What of a list cannot be taken, and why, as a sentence without file name: `line 6: it has no name`. */
export type RefusedEntry = string;

/** A list that was read. */
export interface IdList {
  /** In the order in which the other server numbered the messages. */
  readonly entries: readonly ListedId[];
  readonly refused: readonly RefusedEntry[];
  /** What the administrator should know. */
  readonly notes: readonly string[];
  /** Whether the entries' order is to be kept; a list that is made from names tells none. */
  readonly ordered: boolean;
}

/** A list that cannot be taken at all; the message says why. */
export class IdListError extends Error {
  override name = "IdListError";
}

/** Octets of a list that is read. */
export const MOST_LIST_OCTETS = 256 * 1024 * 1024;

/**
 * Says what keeps a name from being a message's file name.
 *
 * @returns undefined when it can be one
 */
export function refuseName(name: string): string | undefined {
  if (name === "") return "it has no name";
  if (name.includes("/")) return "its name holds a slash";
  return name.includes("\0") ? "its name holds a NUL" : undefined;
}

/** The lines of a text, with their numbers from 1; an end of line at the end begins no other. */
export function* linesOf(text: string): Generator<[line: string, number: number]> {
  let number = 0;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    yield [text.slice(start, end < 0 ? text.length : end), ++number];
    start = end < 0 ? text.length : end + 1;
  }
}
