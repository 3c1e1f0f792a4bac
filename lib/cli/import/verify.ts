/** `postern verify uidl`: holds the ids that Postern gives against an answer to UIDL that was saved from the old server. */

import { fileErrorReason } from "../../files/file_error.ts";
import { planImport } from "../../migrate/import_ids.ts";
import { count } from "../state_report.ts";
import { parseFlags } from "../flags.ts";
import { paragraph } from "../help.ts";
import { flagsHelp, isGiven, type OwnFlag, ownFlag } from "../own_flags.ts";
import { UsageError } from "../usage_error.ts";
import {
  answerOwnHelp,
  commonFlags,
  expandUser,
  readWhere,
  Speaker,
  whereFlags,
} from "./import_flags.ts";
import { listFlags, readListFlags } from "./import_uidl.ts";

const flags: readonly OwnFlag[] = [
  ownFlag("list", undefined, "FILE", "the answer to UIDL that was saved from the old server"),
  ...listFlags,
  ...whereFlags,
  ...commonFlags.filter(({ name }) => !["write", "undo", "force"].includes(name)),
];

/**
 * Runs `postern verify`.
 *
 * @throws {UsageError} when the arguments do not fit
 */
export async function runVerify(args: readonly string[]): Promise<number> {
  const helped = answerOwnHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest: [what, user, ...more] } = parseFlags(args, flags);
  const file = values.get("list")?.[0];
  if (what !== "uidl" || user === undefined || more.length > 0 || file === undefined) {
    throw new UsageError("expected postern verify uidl USER --list FILE");
  }
  const speaker = new Speaker(isGiven(values, "json"));
  const { place } = await readWhere(values, (sentence) => speaker.tell(sentence));
  const list = readListFlags(values, false);
  const wanted = await readAnswer(file);
  const outcome = await planImport(user, {
    ...list,
    file: list.file && expandUser(list.file, user),
    place,
    source: undefined,
    replace: false,
    force: false,
  });
  if (outcome.kind !== "planned") {
    const reason = outcome.kind === "failed" ? outcome.reason : outcome.kind;
    speaker.say(`${user}: failed: ${reason}`, { user, error: reason });
    return 1;
  }
  const { plan } = outcome;
  const ids = plan.ids.map(({ id }) => id);
  const differences = compare(wanted, ids);
  const isPlanned = plan.lines !== undefined;
  const told = differences.length === 0
    ? `${user}: the same ${count(ids.length, "id")} in the same order`
    : `${user}: ${count(differences.length, "difference")} among ${count(wanted.length, "id")}`;
  const after = isPlanned ? ", once postern import uidl --write has been run" : "";
  speaker.say(`${told}${after}`, {
    user,
    same: differences.length === 0,
    ids: ids.length,
    listed: wanted.length,
    differences: differences.length,
    imported: !isPlanned,
  });
  const shown = isGiven(values, "verbose") ? differences : differences.slice(0, 5);
  for (const difference of shown) speaker.detail(difference);
  return differences.length === 0 ? 0 : 1;
}

/** Reads `1 abc` a line, with or without the first line and the dot. @throws {UsageError} */
async function readAnswer(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new UsageError(`--list: ${path} cannot be read: ${fileErrorReason(cause)}`, { cause });
  }
  const ids: string[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line === "" || line === "." || line.startsWith("+OK")) continue;
    const [, number, id] = /^\s*(\d{1,10})\s+(\S+)\s*$/.exec(line) ?? [];
    if (number === undefined || id === undefined) {
      throw new UsageError(
        `--list: line ${at + 1} of ${path} is not of the form number, blank, id`,
      );
    }
    ids.push(id);
  }
  return ids;
}

function compare(wanted: readonly string[], ids: readonly string[]): string[] {
  const differences: string[] = [];
  for (let at = 0; at < Math.max(wanted.length, ids.length); at++) {
    if (wanted[at] === ids[at]) continue;
    differences.push(
      `message ${at + 1}: ${wanted[at] ?? "not listed"} there, ${ids[at] ?? "no message"} here`,
    );
  }
  return differences;
}

function help(): string {
  return [
    "Usage: postern verify uidl [flags] USER --list FILE",
    paragraph(
      "Holds the ids that a user's messages have here, or will have after postern import uidl, against the old server's answer " +
        "to UIDL.",
    ),
    flagsHelp(flags),
    "Exit status: 0 the same ids in the same order, 1 not, 2 wrong usage.",
  ].join("\n\n");
}
