/** What the commands of `postern import` share: flags, settings, and how they say what they did. */

import type { Settings } from "../../contracts/settings.ts";
import { json, safe } from "../../terminal/safe_text.ts";
import { complain, print, printLine } from "../../terminal/output.ts";
import { asksForHelp, type OwnFlag, ownFlag } from "../own_flags.ts";
import { readSomeSettings, settingFlags, USERS_AND_NAMES } from "../some_settings.ts";
import { findUsers } from "../known_users.ts";
import { UsageError } from "../usage_error.ts";
import { readPlace } from "../../mail/naming/place_template.ts";
import { mailRoots } from "../../mail/places/mail_roots.ts";
import type { MailPlace } from "../../migrate/mailbox_ids.ts";

/** Settings that say where mail and users are, taken as `serve` takes them. */
const WHERE = [
  "maildir",
  "mailbox",
  "homes",
  "state",
  ...USERS_AND_NAMES,
] as const;

/** Flags of {@linkcode WHERE}. */
export const whereFlags: readonly OwnFlag[] = settingFlags(WHERE);

/** Flags that every command of `postern import` has behind its own. */
export const commonFlags: readonly OwnFlag[] = [
  ownFlag("write", undefined, "", "write; without it, say only what would be written"),
  ownFlag("undo", undefined, "", "put back what was there before the last --write"),
  ownFlag("force", undefined, "", "write or undo in spite of what speaks against it"),
  ownFlag("json", undefined, "", "print a line of JSON for each, and for the sum"),
  ownFlag("verbose", "v", "", "say of each that is not taken why"),
  ownFlag("help", "h", "", "show this help and exit"),
];

/** Where the mail is. */
export interface Where {
  readonly place: MailPlace;
  readonly settings: Pick<Settings, (typeof WHERE)[number]>;
}

/**
 * Reads the settings, and what is known of users.
 *
 * @throws {SettingError} when a setting is wrong
 * @throws {UsageError} when the mail folder cannot be used
 */
export async function readWhere(
  values: ReadonlyMap<string, readonly string[]>,
  tell: (sentence: string) => void,
): Promise<Where> {
  const settings = await readSomeSettings(WHERE, values);
  let roots;
  try {
    roots = mailRoots(settings);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { maildir: { given, real }, homes } = roots;
  const { defaultDomain, mailbox } = settings;
  const records = await findUsers({ ...settings, user: [] }, { problem: tell, note: () => {} });
  const place = {
    root: real,
    given,
    homes,
    template: mailbox === undefined ? undefined : readPlace(mailbox),
    ...defaultDomain === undefined ? {} : { defaultDomain },
    account: Deno.uid() ?? -1,
    rules: settings,
    records,
  };
  return { settings, place };
}

/** Answers -h. Returns the exit status, or undefined when it was not asked for. */
export function answerOwnHelp(args: readonly string[], help: () => string): number | undefined {
  return asksForHelp(args) ? printLine(help().trimEnd()) : undefined;
}

/** Puts a user into a text with `%u`, `%n` (before the `@`) and `%d`. No name can hold what leads elsewhere. */
export function expandUser(text: string, user: string): string {
  const [name = "", domain = ""] = user.split("@");
  const values: Readonly<Record<string, string>> = { u: user, n: name, d: domain };
  return text.replaceAll(/%([und])/g, (_, letter: string) => values[letter]!);
}

/** Says something to people and programs alike. */
export class Speaker {
  readonly #asJson: boolean;

  /** @param asJson whether programs listen */
  constructor(asJson: boolean) {
    this.#asJson = asJson;
  }

  /** Prints a line for people, or values for programs. */
  say(text: string, values: Readonly<Record<string, unknown>>): void {
    print(this.#asJson ? `${json(values)}\n` : `${safe(text)}\n`);
  }

  /** Prints what only people want to know. */
  detail(text: string): void {
    if (!this.#asJson) print(`  ${safe(text)}\n`);
  }

  /** Says on standard error what is wrong, or how far it has come. */
  tell(text: string): void {
    complain(`postern: ${safe(text)}`);
  }
}
