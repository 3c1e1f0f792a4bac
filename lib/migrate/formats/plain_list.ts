/** Lists of one's own (`--from list`), and ids that are the names' own (`qmail`, `tpop3d`, `teapop`). */

import { createHash } from "node:crypto";
import { uniquePart } from "../../mail/naming/maildir_name.ts";
import { type IdList, linesOf, type ListedId, refuseName } from "../id_list.ts";

/** Reads a text with a line `<unique part or file name> <id>` for each message, and `#` before comments. */
export function readPlainList(text: string): IdList {
  const entries: ListedId[] = [];
  const refused: string[] = [];
  for (const [given, number] of linesOf(text)) {
    const line = given.replace(/\r$/, "");
    if (line.trim() === "" || line.startsWith("#")) continue;
    const place = `line ${number}`;
    const [, name = "", id = ""] = /^(.*?)[ \t]+([^ \t]+)[ \t]*$/s.exec(line) ?? [];
    const refusal = id === "" ? "it is not of the form name, blank, id" : refuseName(name);
    if (refusal !== undefined) refused.push(`${place}: ${refusal}`);
    else entries.push({ name, id, place });
  }
  return { entries, refused, notes: [], ordered: true };
}

/** Servers whose ids are made from names alone. */
export type NamingServer = "qmail" | "tpop3d" | "teapop";

/** Makes the list that such a server would have of these files. */
export function listFromNames(names: Iterable<string>, server: NamingServer): IdList {
  const entries: ListedId[] = [];
  for (const name of names) {
    const unique = uniquePart(name);
    const id = server === "qmail" ? unique : createHash("md5").update(unique, "utf8").digest("hex");
    entries.push({ name, id, place: `file ${unique}` });
  }
  return { entries, refused: [], notes: [], ordered: false };
}
