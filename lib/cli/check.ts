/** `postern check`: says for each user where the mailbox is, what it holds, and what would collide or cannot be read. */

import { type CheckedMailbox, MailboxChecks } from "../mail/places/check_mailboxes.ts";
import { mailRoots } from "../mail/places/mail_roots.ts";
import { readPlace } from "../mail/naming/place_template.ts";
import { complain, print } from "../terminal/output.ts";
import { json, safe } from "../terminal/safe_text.ts";
import { parseFlags } from "./flags.ts";
import { findUsers } from "./known_users.ts";
import { paragraph } from "./help.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { readSomeSettings, settingFlags, USERS_AND_NAMES } from "./some_settings.ts";
import { count } from "./state_report.ts";

/** Settings that say who the users are and where their mailboxes lie, taken as `serve` takes them. */
const WHERE = [
  "maildir",
  "mailbox",
  "homes",
  "state",
  "user",
  ...USERS_AND_NAMES,
] as const;

const flags: readonly OwnFlag[] = withHelp([
  ...settingFlags(WHERE),
  ownFlag("json", undefined, "", "print a line of JSON for each user, and one for the sum"),
]);

/**
 * Runs `postern check`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runCheck(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const only = new Set(rest);
  const settings = await readSomeSettings(WHERE, values);
  const report = new Report(isGiven(values, "json"));
  const users = await findUsers(settings, report);
  let roots;
  try {
    roots = mailRoots(settings);
  } catch (error) {
    report.problem(error instanceof Error ? error.message : String(error));
    return report.end();
  }
  const { maildir: { given, real }, homes } = roots;
  const { defaultDomain, mailbox } = settings;
  const checks = new MailboxChecks({
    root: real,
    given,
    homes,
    template: mailbox === undefined ? undefined : readPlace(mailbox),
    ...defaultDomain !== undefined && { defaultDomain },
  }, Deno.uid() ?? NaN);
  for (const [user, record] of users) {
    if (only.size === 0 || only.has(user)) report.user(checks.check(user, record));
  }
  if (only.size === 0) {
    for (const path of checks.unusedSpellings()) {
      report.problem(`${path} is nobody's: names are read in lower case. Rename or merge it`);
    }
  }
  for (const user of only) if (!users.has(user)) report.problem(`There is no user ${user}`);
  return report.end();
}

function help(): string {
  return [
    "Usage: postern check [flags] [USER …]",
    paragraph(
      "Says for each user where the mailbox is and what it holds, and names what a server with the same settings could not " +
        "serve: accounts and mailboxes that collide, places that cannot take a name, folders and files that cannot be read. " +
        "It changes nothing, and may run beside a server.",
    ),
    flagsHelp(flags),
    "Exit status: 0 all is well, 1 there are problems, 2 wrong usage.",
  ].join("\n\n");
}

/** Writes what was found. */
class Report {
  readonly #asJson: boolean;
  #users = 0;
  #messages = 0;
  #problems = 0;

  constructor(asJson: boolean) {
    this.#asJson = asJson;
  }

  user(found: CheckedMailbox): void {
    const { user, path, layout, messages, fresh, problem } = found;
    this.#users++;
    this.#messages += messages;
    if (problem !== undefined) this.#problems++;
    if (this.#asJson) return void print(`${json(found)}\n`);
    const holds = layout === "absent"
      ? "no mailbox yet"
      : layout === undefined
      ? ""
      : `${layout}, ${count(messages, "message")}${layout === "maildir" ? `, ${fresh} new` : ""}`;
    const facts = [path, holds].filter((each) => each !== undefined && each !== "");
    const trouble = problem === undefined ? [] : [`PROBLEM: ${problem}`];
    print(`${safe([user, ...facts, ...trouble].join("  "))}\n`);
  }

  problem(sentence: string): void {
    this.#problems++;
    print(this.#asJson ? `${json({ problem: sentence })}\n` : `${safe(`PROBLEM: ${sentence}`)}\n`);
  }

  note(sentence: string): void {
    complain(`postern: ${safe(sentence)}`);
  }

  /** Returns the exit status. */
  end(): number {
    const sum = { users: this.#users, messages: this.#messages, problems: this.#problems };
    const text = [
      count(sum.users, "user"),
      count(sum.messages, "message"),
      count(sum.problems, "problem"),
    ];
    print(`${this.#asJson ? json(sum) : text.join(", ")}\n`);
    return sum.problems === 0 ? 0 : 1;
  }
}
