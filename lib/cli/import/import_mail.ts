/** `postern import mail`: takes messages of another server over into a user's Maildir. */

import { heldFolders } from "../../app/held_folders.ts";
import { quote } from "../../bytes/quote.ts";
import { MaildropUnavailableError, MaildropUnreadableError } from "../../contracts/mail_store.ts";
import { fileErrorReason, isFileError } from "../../files/file_error.ts";
import { FolderProbe } from "../../mail/folder_probe.ts";
import { MailboxPlaces } from "../../mail/places/mailbox_places.ts";
import { IdListError } from "../../migrate/id_list.ts";
import {
  type MailPlan,
  planMail,
  refuseMailbox,
  undoMail,
  writeMail,
} from "../../migrate/import_mail.ts";
import {
  CYRUS_UIDL_FORMATS,
  MAIL_FORMATS,
  type MailFormat,
  type MailSource,
  openCyrus,
  openEml,
  openMbox,
} from "../../migrate/mail_sources.ts";
import { findUserMailbox, openIds, placeOf } from "../../migrate/mailbox_ids.ts";
import { MboxError } from "../../migrate/mbox.ts";
import { NoLocksError, openUserLocks } from "../../migrate/user_locks.ts";
import { parseFlags } from "../flags.ts";
import { paragraph } from "../help.ts";
import { flagsHelp, isGiven, type OwnFlag, ownFlag } from "../own_flags.ts";
import { UsageError } from "../usage_error.ts";
import {
  answerOwnHelp,
  commonFlags,
  readWhere,
  Speaker,
  type Where,
  whereFlags,
} from "./import_flags.ts";

const flags: readonly OwnFlag[] = [
  ownFlag("from", undefined, "FORMAT", MAIL_FORMATS.join(", ")),
  ownFlag("file", undefined, "PATH", "Cyrus: the saved answer of mbexamine, which tells the ids"),
  ownFlag("uidl-format", undefined, "F", `Cyrus's uidl_format: ${CYRUS_UIDL_FORMATS.join(", ")}`),
  ...whereFlags,
  ...commonFlags,
];

/** Messages between two sentences of progress. */
const PROGRESS = 1000;

/**
 * Runs `postern import mail`.
 *
 * @throws {UsageError} when the arguments do not fit
 */
export async function runImportMail(args: readonly string[]): Promise<number> {
  const helped = answerOwnHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const speaker = new Speaker(isGiven(values, "json"));
  const [isUndo, isWrite] = [isGiven(values, "undo"), isGiven(values, "write")];
  if (isUndo && isWrite) throw new UsageError("expected --write or --undo, not both");
  const [path, user] = isUndo ? [undefined, rest[0]] : rest;
  if (user === undefined || rest.length !== (isUndo ? 1 : 2)) {
    throw new UsageError(
      "expected postern import mail --from FORMAT PATH USER, or postern import mail --undo USER",
    );
  }
  const where = await readWhere(values, (sentence) => speaker.tell(sentence));
  try {
    if (isUndo) return await takeBack(user, where, isGiven(values, "force"), speaker);
    return await takeOver(user, openSource(path!, values), where, isWrite, speaker, values);
  } catch (error) {
    const isOurs = EXPECTED.some((kind) => error instanceof kind);
    if (!isOurs && !isFileError(error)) throw error;
    const reason = isOurs ? (error as Error).message : fileErrorReason(error);
    speaker.say(`${user}: failed: ${reason}`, { user, error: reason });
    return 1;
  }
}

const EXPECTED = [
  IdListError,
  MboxError,
  NoLocksError,
  MaildropUnreadableError,
  MaildropUnavailableError,
] as const;

function openSource(path: string, values: ReadonlyMap<string, readonly string[]>): MailSource {
  const from = readFormat(values.get("from")?.[0]);
  const file = values.get("file")?.[0];
  const format = values.get("uidl-format")?.[0];
  if (from !== "cyrus" && (file !== undefined || format !== undefined)) {
    throw new UsageError("--file and --uidl-format belong to --from cyrus");
  }
  if (format !== undefined && !CYRUS_UIDL_FORMATS.includes(format)) {
    throw new UsageError(`--uidl-format: expected one of ${CYRUS_UIDL_FORMATS.join(", ")}`);
  }
  try {
    if (from === "mbox") return openMbox(path);
    if (from === "eml") return openEml(path);
    const examined = file === undefined ? undefined : Deno.readTextFileSync(file);
    return openCyrus(path, examined === undefined ? undefined : { examined, format });
  } catch (error) {
    if (!isFileError(error)) throw error;
    throw new IdListError(`${path} cannot be read: ${fileErrorReason(error)}`, { cause: error });
  }
}

function readFormat(text: string | undefined): MailFormat {
  const names = MAIL_FORMATS.join(", ");
  if (text === undefined) throw new UsageError(`--from is missing: expected one of ${names}`);
  // Both are mboxes that tell ids.
  const found = text === "uw" || text === "qpopper"
    ? "mbox"
    : MAIL_FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  throw new UsageError(`--from ${quote(text)} is not known: expected one of ${names}`);
}

async function takeOver(
  user: string,
  source: MailSource,
  where: Where,
  isWrite: boolean,
  speaker: Speaker,
  values: ReadonlyMap<string, readonly string[]>,
): Promise<number> {
  using locks = isWrite ? await lock(where) : undefined;
  if (locks !== undefined && !await locks.take(user)) return inUse(user, speaker);
  const mailbox = findUserMailbox(user, where.place) ??
    (isWrite ? make(user, where) : undefined);
  if (mailbox === undefined) throw new IdListError("there is no mailbox; --write makes one");
  const refusal = refuseMailbox(mailbox);
  if (refusal !== undefined) throw new IdListError(refusal);
  const open = await openIds(mailbox, where.place);
  const plan = await planMail(open, source);
  if (isWrite && (plan.fresh.size > 0 || plan.ids.lines !== undefined)) {
    const progress = (done: number): void => {
      if (done % PROGRESS === 0) speaker.tell(`${user}: ${done} of ${plan.messages} messages`);
    };
    await writeMail(open, source, plan, {
      account: where.place.account,
      held: heldOf(where),
      progress,
    });
  }
  return tellPlan(user, plan, isWrite, speaker, isGiven(values, "verbose"));
}

function tellPlan(
  user: string,
  { messages, fresh, named, refused }: MailPlan,
  isWritten: boolean,
  speaker: Speaker,
  isVerbose: boolean,
): number {
  const there = messages - fresh.size;
  speaker.say(
    `${user}: ${messages} messages, ${fresh.size} ${
      isWritten ? "taken" : "new"
    }, ${there} there already, ` +
      `${named} with an id, ${refused.length} refused`,
    {
      user,
      messages,
      taken: fresh.size,
      there,
      ids: named,
      refused: refused.length,
      written: isWritten,
    },
  );
  if (isVerbose) { for (const reason of refused) speaker.detail(`refused: ${reason}`); }
  return refused.length === 0 ? 0 : 1;
}

async function takeBack(
  user: string,
  where: Where,
  force: boolean,
  speaker: Speaker,
): Promise<number> {
  using locks = await lock(where);
  if (!await locks.take(user)) return inUse(user, speaker);
  const mailbox = findUserMailbox(user, where.place);
  if (mailbox === undefined) throw new IdListError("there is no mailbox");
  const open = await openIds(mailbox, where.place);
  const writing = { account: where.place.account, held: heldOf(where) };
  const { outcome, removed } = await undoMail(open, writing, force);
  const texts = {
    undone: `${removed} messages removed again`,
    nothing: "nothing to undo",
    shown: "a session has shown the messages since; --undo --force takes them back all the same",
  };
  speaker.say(`${user}: ${texts[outcome]}`, { user, outcome, removed });
  return outcome === "undone" ? 0 : 1;
}

function lock({ settings, place }: Where): ReturnType<typeof openUserLocks> {
  return openUserLocks({ root: place.root, state: settings.state, rules: settings });
}

function inUse(user: string, speaker: Speaker): number {
  speaker.say(`${user}: in use by a session, left as it is; repeat it later`, {
    user,
    inUse: true,
  });
  return 1;
}

function heldOf({ place }: Where): ReturnType<ReturnType<typeof heldFolders>> {
  const held = heldFolders(Deno.env.get("PATH") ?? "");
  return held(place.root, (place.homes ?? []).map(({ real }) => real));
}

function make(user: string, { place }: Where): ReturnType<typeof findUserMailbox> {
  const places = new MailboxPlaces({ ...place, warn: () => {} }, new FolderProbe());
  const found = placeOf(user, place);
  return found && places.make(user, found);
}

function help(): string {
  return [
    "Usage: postern import mail [flags] --from FORMAT PATH USER",
    paragraph(
      "Takes the messages of an mbox, a folder of Cyrus's spool or single files over into the user's Maildir, with times, flags and " +
        "unique-ids. A message that is there already is not taken twice, so it can be repeated until the old server is " +
        "stopped. Says first what would come of it; --write writes.",
    ),
    flagsHelp(flags),
    "Exit status: 0 all is taken, 1 some is not, 2 wrong usage.",
  ].join("\n\n");
}
