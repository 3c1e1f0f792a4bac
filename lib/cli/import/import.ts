/** `postern import`: takes over unique-ids, users, mail and configuration of another server. */

import { quote } from "../../bytes/quote.ts";
import { didYouMean } from "../../settings/suggest.ts";
import { helpSection } from "../help.ts";
import { answerHelp } from "../own_flags.ts";
import { UsageError } from "../usage_error.ts";

const KINDS: Readonly<
  Record<string, { readonly help: string; run(args: readonly string[]): Promise<number> }>
> = {
  uidl: {
    help: "unique-ids, so that no client downloads its mail again",
    run: async (args) => await (await import("./import_uidl.ts")).runImportUidl(args),
  },
  users: {
    help: "users with the password hashes that they have",
    run: async (args) => await (await import("./import_users.ts")).runImportUsers(args),
  },
  mail: {
    help: "messages of an mbox, a Cyrus folder or single files, with their unique-ids",
    run: async (args) => await (await import("./import_mail.ts")).runImportMail(args),
  },
  dovecot: {
    help: "print the config file that equals Dovecot's",
    run: async (args) => await (await import("./import_dovecot.ts")).runImportDovecot(args),
  },
};

/**
 * Runs `postern import`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runImport(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  const kind = word === undefined || !Object.hasOwn(KINDS, word) ? undefined : KINDS[word];
  if (kind !== undefined) return await kind.run(rest);
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const names = Object.keys(KINDS);
  if (word === undefined) throw new UsageError(`expected postern import ${names.join(", ")}`);
  throw new UsageError(
    `unknown command ${quote(`import ${word}`)}${
      didYouMean(word, names) || `: expected ${names.join(", ")}`
    }`,
  );
}

function help(): string {
  const lines = Object.entries(KINDS).map(([name, { help }]) => ({
    flag: `postern import ${name}`,
    help,
  }));
  return [
    "Usage: postern import WHAT [flags]",
    helpSection("What", lines),
    "postern import WHAT -h explains each. docs/moving/ tells the day of the change.",
  ].join("\n\n");
}
