/** What an authentication hook is asked, and what it may answer: JSON, read with suspicion. */

import { refuseUserName } from "../../bytes/user_name.ts";
import { canonicalName, type NameRules } from "../../bytes/canonical_name.ts";
import type { UserRecord } from "../../contracts/user_record.ts";
import { readUserField } from "../user_fields.ts";

/** One question. */
export interface HookQuestion {
  /** As it was said. */
  readonly user: string;
  /** Null where only the user is looked up, as for a delivery. */
  readonly password: string | null;
  /** The client's; null for a look-up. */
  readonly address: string | null;
  readonly tls: boolean;
  /** `USER`, `PLAIN` or `LOGIN`; null for a look-up. */
  readonly mechanism: string | null;
}

/** What the hook says. */
export type HookVerdict =
  | {
    readonly ok: true;
    /** The canonical name. */
    readonly user: string;
    readonly record: UserRecord | undefined;
  }
  | { readonly ok: false; readonly reason: string | undefined };

/** An answer that is none; the message says why. */
export class HookAnswerError extends Error {
  override name = "HookAnswerError";
}

/** Fields of `limits`, and beside it. */
const LIMITS = ["quota", "trash", "deletes"] as const;
const PLACES = ["mailbox", "home"] as const;

/**
 * Reads an answer.
 *
 * @param question that it was given to
 * @throws {HookAnswerError} when it is none
 */
export function readVerdict(text: string, question: HookQuestion, rules: NameRules): HookVerdict {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new HookAnswerError("it is no JSON");
  }
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw new HookAnswerError("it is no JSON object");
  }
  const fields = new Map(Object.entries(answer));
  const ok = fields.get("ok");
  if (typeof ok !== "boolean") throw new HookAnswerError("ok is neither true nor false");
  if (!ok) {
    const reason = fields.get("reason");
    return { ok, reason: typeof reason === "string" ? reason : undefined };
  }
  const named = fields.get("user") ?? question.user;
  if (typeof named !== "string") throw new HookAnswerError("user is no text");
  const user = canonicalName(named, rules);
  const refusal = refuseUserName(user);
  if (refusal !== undefined) throw new HookAnswerError(`user can be no user's name: ${refusal}`);
  const limits = fields.get("limits") ?? {};
  if (typeof limits !== "object" || Array.isArray(limits)) {
    throw new HookAnswerError("limits is no object");
  }
  let record: UserRecord = {};
  for (const field of [...PLACES, ...LIMITS]) {
    const value = fields.get(field) ?? new Map(Object.entries(limits)).get(field);
    if (value === undefined || value === null) continue;
    if (typeof value !== "string" && typeof value !== "number") {
      throw new HookAnswerError(`${field} is neither text nor number`);
    }
    try {
      record = { ...record, ...readUserField(field, String(value)) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new HookAnswerError(`${field} is wrong: ${error.message}`);
    }
  }
  return { ok, user, record: Object.keys(record).length === 0 ? undefined : record };
}
