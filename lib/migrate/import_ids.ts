/** Imports unique-ids into one mailbox after another: dry, for good, or back. */

import { MaildropUnavailableError, MaildropUnreadableError } from "../contracts/mail_store.ts";
import { fileErrorReason, isFileError } from "../files/file_error.ts";
import { findList, type FindListOptions } from "./find_list.ts";
import { IdListError } from "./id_list.ts";
import { findUserMailbox, type MailPlace, type OpenIds, openIds } from "./mailbox_ids.ts";
import { ForeignListError, type IdPlan, planIds } from "./plan_ids.ts";
import { fetchList, type OldServer, OldServerError } from "./old_server.ts";
import type { UserLocks } from "./user_locks.ts";
import { undoIds, type UndoOutcome, writeIds } from "./write_ids.ts";

/** What is imported, and how. */
export interface ImportIdsOptions extends FindListOptions {
  readonly place: MailPlace;
  /** The server that still answers, in place of a list. */
  readonly source: OldServer | undefined;
  readonly replace: boolean;
  readonly force: boolean;
}

/** What became of one mailbox. */
export type IdOutcome =
  | { readonly kind: "planned" | "written"; readonly plan: IdPlan; readonly from: string }
  | { readonly kind: UndoOutcome }
  /** A session has it. */
  | { readonly kind: "in-use" }
  | { readonly kind: "failed"; readonly reason: string };

/**
 * Says what an import would do. Nothing is written.
 *
 * @param user whose mailbox
 */
export async function planImport(user: string, options: ImportIdsOptions): Promise<IdOutcome> {
  return await attempt(async () => {
    const open = await openUser(user, options.place);
    return { kind: "planned", ...await planOf(user, open, options) };
  });
}

/** Imports. */
export async function writeImport(
  user: string,
  options: ImportIdsOptions,
  locks: UserLocks,
): Promise<IdOutcome> {
  return await attempt(async () => {
    if (!await locks.take(user)) return { kind: "in-use" };
    const open = await openUser(user, options.place);
    const { plan, from } = await planOf(user, open, options);
    if (plan.lines === undefined) return { kind: "planned", plan, from };
    await writeIds(open.mailbox, plan.lines, options.place.account);
    return { kind: "written", plan, from };
  });
}

/** Puts back what there was before the last import. */
export async function undoImport(
  user: string,
  { place, force }: Pick<ImportIdsOptions, "place" | "force">,
  locks: UserLocks,
): Promise<IdOutcome> {
  return await attempt(async () => {
    if (!await locks.take(user)) return { kind: "in-use" };
    const mailbox = findUserMailbox(user, place);
    if (mailbox === undefined) return { kind: "nothing" };
    return { kind: await undoIds(mailbox, place.account, force) };
  });
}

async function openUser(user: string, place: MailPlace): Promise<OpenIds> {
  const mailbox = findUserMailbox(user, place);
  if (mailbox === undefined) throw new IdListError("there is no mailbox");
  return await openIds(mailbox, place);
}

async function planOf(
  user: string,
  open: OpenIds,
  options: ImportIdsOptions,
): Promise<{ plan: IdPlan; from: string }> {
  const { place, source, replace } = options;
  if (source !== undefined) {
    const { list, entryOf, isDoubtful } = await fetchList(user, open, source);
    const plan = await planIds(open, list, { replace, entryOf });
    if (isDoubtful && !options.force) {
      return {
        plan: { ...plan, lines: undefined, refused: [...plan.refused, TOO_FEW] },
        from: "pop3",
      };
    }
    return { plan, from: "pop3" };
  }
  const found = await findList(open, place, options);
  if (found === undefined) {
    const empty = { entries: [], refused: [], notes: [NO_LIST], ordered: false };
    return { plan: await planIds(open, empty), from: "none" };
  }
  return { plan: await planIds(open, found.list, { replace }), from: found.from };
}

const TOO_FEW =
  "fewer than 95 % of the old server's messages were found here, so nothing is written: --force writes all the same";
const NO_LIST = "no list of another server was found";

/** What is a mailbox's own trouble is told with it, and the others go on. */
async function attempt(work: () => Promise<IdOutcome>): Promise<IdOutcome> {
  try {
    return await work();
  } catch (error) {
    if (isExpected(error)) return { kind: "failed", reason: error.message };
    if (isFileError(error)) return { kind: "failed", reason: fileErrorReason(error) };
    throw error;
  }
}

function isExpected(error: unknown): error is Error {
  return [
    IdListError,
    ForeignListError,
    OldServerError,
    MaildropUnreadableError,
    MaildropUnavailableError,
  ].some((kind) => error instanceof kind);
}
