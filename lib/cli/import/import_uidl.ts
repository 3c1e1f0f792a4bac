/** `postern import uidl`: takes over the unique-ids by which clients know their mail. */

import { didYouMean } from "../../settings/suggest.ts";
import { quote } from "../../bytes/quote.ts";
import { LIST_FORMATS, type ListFormat } from "../../migrate/find_list.ts";
import {
  DEFAULT_UIDL_FORMAT,
  parseUidlFormat,
  type UidlFormat,
  UidlFormatError,
} from "../../migrate/formats/uidl_format.ts";
import {
  type IdOutcome,
  type ImportIdsOptions,
  planImport,
  undoImport,
  writeImport,
} from "../../migrate/import_ids.ts";
import { usersWithMailbox } from "../../migrate/mailbox_ids.ts";
import { NoLocksError, openUserLocks, type UserLocks } from "../../migrate/user_locks.ts";
import { fileErrorReason, isFileError } from "../../files/file_error.ts";
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
  type Where,
  whereFlags,
} from "./import_flags.ts";
import { IdReport } from "./id_report.ts";
import { readSource } from "./source.ts";

/** Flags that say which list, shared with `postern verify uidl`. */
export const listFlags: readonly OwnFlag[] = [
  ownFlag("from", undefined, "FORMAT", `auto, ${LIST_FORMATS.join(", ")} (default: auto)`),
  ownFlag(
    "file",
    undefined,
    "PATH",
    "the list, or its folder, where it is not in the Maildir; %u, %n and %d stand for the user, " +
      "the name and the domain",
  ),
  ownFlag(
    "uidl-format",
    undefined,
    "F",
    `Dovecot's pop3_uidl_format (default: ${DEFAULT_UIDL_FORMAT})`,
  ),
];

const flags: readonly OwnFlag[] = [
  ...listFlags,
  ownFlag(
    "source",
    undefined,
    "URL",
    "ask the old server while it runs: pop3s://USER:@FILE@HOST; %u stands for the user, " +
      "USER*MASTER logs in as a master",
  ),
  ownFlag("ca", undefined, "FILE", "PEM of authorities that the old server's certificate may have"),
  ownFlag("all", undefined, "", "every mailbox of the mail folder"),
  ownFlag("replace", undefined, "", "replace ids that messages have by an earlier import"),
  ...whereFlags,
  ...commonFlags,
];

/** Formats whose ids come with the messages. */
const WITH_MAIL: Readonly<Record<string, string>> = { cyrus: "cyrus", uw: "mbox", qpopper: "mbox" };

/**
 * Runs `postern import uidl`.
 *
 * @throws {UsageError} when the arguments do not fit
 */
export async function runImportUidl(args: readonly string[]): Promise<number> {
  const helped = answerOwnHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const speaker = new Speaker(isGiven(values, "json"));
  const isAll = isGiven(values, "all");
  if (isAll === rest.length > 0) throw new UsageError("expected users' names, or --all");
  const isMany = isAll || rest.length > 1;
  const list = readListFlags(values, isMany);
  const [isUndo, isWrite] = [isGiven(values, "undo"), isGiven(values, "write")];
  if (isUndo && isWrite) throw new UsageError("expected --write or --undo, not both");
  const where = await readWhere(values, (sentence) => speaker.tell(sentence));
  const options: Asked = {
    ...list,
    place: where.place,
    source: await readSource(values, isMany, (sentence) => speaker.tell(sentence)),
    replace: isGiven(values, "replace"),
    force: isGiven(values, "force"),
    isVerbose: isGiven(values, "verbose"),
  };
  const users = isAll ? usersWithMailbox(where.place) : rest;
  try {
    if (!isWrite && !isUndo) return await each(users, speaker, options, planImport);
    using locks = await lockUsers(where);
    if (isUndo) {
      return await each(users, speaker, options, (user) => undoImport(user, options, locks));
    }
    if (options.replace) speaker.tell(REPLACE_WARNING);
    return await each(
      users,
      speaker,
      options,
      (user, own) => writeImport(user, own, locks),
    );
  } catch (error) {
    if (!(error instanceof NoLocksError) && !isFileError(error)) throw error;
    const reason = error instanceof NoLocksError
      ? error.message
      : `${where.place.root} cannot be read: ${fileErrorReason(error)}`;
    speaker.tell(reason);
    return 1;
  }
}

const REPLACE_WARNING =
  "--replace changes ids that clients know already: they download those messages again";

interface Asked extends ImportIdsOptions {
  readonly isVerbose: boolean;
}

async function lockUsers({ settings, place }: Where): Promise<UserLocks> {
  return await openUserLocks({ root: place.root, state: settings.state, rules: settings });
}

/** Reads which list is meant. */
export function readListFlags(
  values: ReadonlyMap<string, readonly string[]>,
  isMany: boolean,
): Pick<ImportIdsOptions, "from" | "file" | "uidlFormat"> {
  const file = values.get("file")?.[0];
  if (isMany && file !== undefined && !/%[und]/.test(file)) {
    throw new UsageError("--file of several users holds %u, %n or %d: expected a file for each");
  }
  return {
    from: readFormat(values.get("from")?.[0] ?? "auto"),
    file,
    uidlFormat: readUidlFormat(values.get("uidl-format")?.[0] ?? DEFAULT_UIDL_FORMAT),
  };
}

function readFormat(text: string): ListFormat | "auto" {
  if (text === "auto") return text;
  // What --source tells needs no other word for it.
  if (text === "pop3") return "auto";
  const found = LIST_FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  const mail = WITH_MAIL[text];
  if (mail !== undefined) {
    throw new UsageError(
      `ids of ${text} come with its messages: postern import mail --from ${mail} PATH USER`,
    );
  }
  const hint = didYouMean(text, LIST_FORMATS) || `: expected auto, ${LIST_FORMATS.join(", ")}`;
  throw new UsageError(`--from ${quote(text)} is not known${hint}`);
}

function readUidlFormat(text: string): UidlFormat {
  try {
    return parseUidlFormat(text);
  } catch (error) {
    if (!(error instanceof UidlFormatError)) throw error;
    throw new UsageError(`--uidl-format: ${error.message}`, { cause: error });
  }
}

/** Works on one mailbox after the other, and says of each how it ended as soon as it has. */
async function each(
  users: Iterable<string>,
  speaker: Speaker,
  options: Asked,
  work: (user: string, options: ImportIdsOptions) => Promise<IdOutcome>,
): Promise<number> {
  const report = new IdReport(speaker, options.isVerbose);
  for (const user of users) {
    const outcome = await work(user, {
      ...options,
      file: options.file && expandUser(options.file, user),
    });
    report.add(user, outcome);
  }
  return report.end();
}

function help(): string {
  return [
    "Usage: postern import uidl [flags] USER…|--all",
    paragraph(
      "Takes over the unique-ids (UIDL) of another server, and its order of messages, so that clients that keep mail on the " +
        "server download nothing again. Says first what would come of it; --write writes it into .postern-uidl in each " +
        "mailbox. The mail and the other server's files are not touched.",
    ),
    flagsHelp(flags),
    paragraph(
      "Exit status: 0 all messages keep their ids, 1 some would not, a list is damaged or a mailbox is in use, 2 wrong usage.",
    ),
  ].join("\n\n");
}
