/** Says what became of each mailbox's unique-ids, and what all come to. */

import type { IdOutcome } from "../../migrate/import_ids.ts";
import type { IdPlan } from "../../migrate/plan_ids.ts";
import type { Speaker } from "./import_flags.ts";

/** What all mailboxes come to. */
interface Sum {
  mailboxes: number;
  messages: number;
  kept: number;
  missing: number;
  gone: number;
  refused: number;
  written: number;
  undone: number;
  inUse: number;
  failed: number;
}

const NOTHING: Sum = {
  mailboxes: 0,
  messages: 0,
  kept: 0,
  missing: 0,
  gone: 0,
  refused: 0,
  written: 0,
  undone: 0,
  inUse: 0,
  failed: 0,
};

/** Tells of one mailbox after the other as soon as it is done. */
export class IdReport {
  readonly #speaker: Speaker;
  readonly #isVerbose: boolean;
  readonly #sum: Sum = { ...NOTHING };
  #isUndo = false;

  /** @param isVerbose whether to say of each message that does not keep its id why */
  constructor(speaker: Speaker, isVerbose: boolean) {
    this.#speaker = speaker;
    this.#isVerbose = isVerbose;
  }

  /** Tells of a mailbox. */
  add(user: string, outcome: IdOutcome): void {
    const { kind } = outcome;
    this.#sum.mailboxes++;
    this.#isUndo ||= kind === "undone" || kind === "nothing" || kind === "shown";
    this.#tell(user, outcome);
  }

  /** Tells the sum. Returns the exit status. */
  end(): number {
    const sum = this.#sum;
    const text = this.#isUndo ? undoSum(sum) : importSum(sum);
    this.#speaker.say(text, { total: true, ...sum });
    const isWell = sum.missing + sum.refused + sum.inUse + sum.failed === 0;
    return isWell && (!this.#isUndo || sum.undone > 0) ? 0 : 1;
  }

  #tell(user: string, outcome: IdOutcome): void {
    switch (outcome.kind) {
      case "planned":
      case "written": {
        const { plan, from, kind } = outcome;
        const own = figuresOf(plan);
        for (const name of Object.keys(own) as (keyof Figures)[]) this.#sum[name] += own[name];
        if (kind === "written") this.#sum.written++;
        const details = this.#isVerbose ? { reasons: reasonsOf(plan) } : {};
        const values = { user, from, ...own, replaced: plan.replaced.length };
        this.#speaker.say(`${user}: ${figures(own)}`, {
          ...values,
          written: kind === "written",
          ...details,
        });
        for (const note of plan.notes) this.#speaker.tell(`${user}: ${note}`);
        if (this.#isVerbose) { for (const reason of reasonsOf(plan)) this.#speaker.detail(reason); }
        if (plan.replaced.length > 0) {
          this.#speaker.tell(
            `${user}: ${plan.replaced.length} messages get another id than they had`,
          );
        }
        return;
      }
      case "in-use":
        this.#sum.inUse++;
        return this.#speaker.say(`${user}: in use by a session, left as it is; repeat it later`, {
          user,
          inUse: true,
        });
      case "failed":
        this.#sum.failed++;
        return this.#speaker.say(`${user}: failed: ${outcome.reason}`, {
          user,
          error: outcome.reason,
        });
      case "undone":
        this.#sum.undone++;
        return this.#speaker.say(`${user}: put back`, { user, undone: true });
      case "nothing":
        return this.#speaker.say(`${user}: nothing to undo`, { user, undone: false });
      case "shown":
        this.#sum.failed++;
        return this.#speaker.say(
          `${user}: a session has shown the ids since; --undo --force takes them back all the same`,
          { user, undone: false, shown: true },
        );
    }
  }
}

function importSum(sum: Sum): string {
  const written = sum.written > 0 ? `; ${sum.written} written` : "";
  return `${counted(sum.mailboxes)}: ${figures(sum)}${written}${troubles(sum)}`;
}

function undoSum(sum: Sum): string {
  return `${counted(sum.mailboxes)}: ${sum.undone} put back${troubles(sum)}`;
}

function counted(mailboxes: number): string {
  return `${mailboxes} ${mailboxes === 1 ? "mailbox" : "mailboxes"}`;
}

function troubles({ inUse, failed }: Sum): string {
  return `${inUse > 0 ? `; ${inUse} in use` : ""}${failed > 0 ? `; ${failed} failed` : ""}`;
}

function figures({ messages, kept, missing, gone, refused }: Figures): string {
  return `${messages} messages, ${kept} keep their id, ${missing} have none in the list, ` +
    `${gone} listed and gone, ${refused} refused`;
}

type Figures = Pick<Sum, "messages" | "kept" | "missing" | "gone" | "refused">;

function figuresOf({ messages, kept, missing, gone, refused }: IdPlan): Figures {
  return {
    messages,
    kept,
    missing: missing.length,
    gone: gone.length,
    refused: refused.length,
  };
}

/** Each message and entry that does not keep its id, and why. */
function reasonsOf(plan: IdPlan): string[] {
  return [
    ...plan.missing.map((name) => `${name}: not in the list`),
    ...plan.gone.map((name) => `${name}: listed, but gone`),
    ...plan.refused.map((reason) => `refused: ${reason}`),
    ...plan.replaced.map((name) => `${name}: gets another id than it had`),
  ];
}
