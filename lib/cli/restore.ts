/** `postern restore`: puts a backup in the place of a state file that no server holds. */

import { restoreBackup } from "../state/restore.ts";
import { parseFlags } from "./flags.ts";
import { paragraph } from "./help.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { isDatabase } from "../state/postgres/state_url.ts";
import { NOT_A_FILE } from "./backup.ts";
import { readSomeSettings, settingFlags } from "./some_settings.ts";
import { count, reportOn } from "./state_report.ts";
import { UsageError } from "./usage_error.ts";

/** Settings that say where the state is, taken as `serve` takes them. */
const WHERE = ["state", "config"] as const;

const flags: readonly OwnFlag[] = withHelp([
  ...settingFlags(WHERE),
  ownFlag("json", undefined, "", "print the outcome as one line of JSON"),
]);

/**
 * Runs `postern restore`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runRestore(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const [file] = rest;
  if (file === undefined || file === "" || rest.length > 1) {
    throw new UsageError("expected postern restore FILE");
  }
  const { state } = await readSomeSettings(WHERE, values);
  if (isDatabase(state)) throw new UsageError(NOT_A_FILE);
  if (state === ":memory:") throw new UsageError("--state :memory: keeps nothing: expected a file");
  return await reportOn(isGiven(values, "json"), () => {
    const { users, administrators, kept } = restoreBackup(file, state);
    const contents = `${count(users, "user")} and ${count(administrators, "administrator")}`;
    const before = kept === undefined ? "" : `. What was there before is kept as ${kept}`;
    return Promise.resolve({
      text: `Restored ${contents} from ${file}${before}`,
      values: { state, users, administrators, kept: kept ?? null },
    });
  });
}

function help(): string {
  return [
    "Usage: postern restore [flags] FILE",
    paragraph(
      "Replaces the state file by a backup, while no server is running. The backup is checked first, and what was there " +
        "before is kept beside it. Given the state file itself, it takes that as it is, also without its -wal.",
    ),
    flagsHelp(flags),
    "Exit status: 0 done, 1 failed, 2 wrong usage.",
  ].join("\n\n");
}
