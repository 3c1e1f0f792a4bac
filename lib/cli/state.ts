/** `postern state copy FROM TO`: takes a state from a file into a database, or back. */

import { openState } from "../state/open_state.ts";
import { copyState } from "../state/copy/copy_state.ts";
import { PostgresRows } from "../state/copy/postgres_rows.ts";
import type { RowPlace } from "../state/copy/rows.ts";
import { SqliteRows } from "../state/copy/sqlite_rows.ts";
import { isDatabase } from "../state/postgres/state_url.ts";
import { StateFile } from "../state/state_file.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { statePlace } from "../settings/types/state.ts";
import { InvalidText } from "../settings/types/value_type.ts";
import { parseFlags } from "./flags.ts";
import { paragraph } from "./help.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { readSomeSettings, settingFlags } from "./some_settings.ts";
import { count, reportOn } from "./state_report.ts";
import { UsageError } from "./usage_error.ts";

const WITH = ["statePassword", "stateWait", "config"] as const;

const flags: readonly OwnFlag[] = withHelp([
  ...settingFlags(WITH),
  ownFlag("json", undefined, "", "print the outcome as one line of JSON"),
]);

/**
 * Runs `postern state`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runState(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const [action, from, to] = rest;
  if (action !== "copy" || from === undefined || to === undefined || rest.length > 3) {
    throw new UsageError("expected postern state copy FROM TO");
  }
  for (const place of [from, to]) {
    if (place === ":memory:") {
      throw new UsageError(":memory: keeps nothing: expected a file or a URL");
    }
    try {
      statePlace.read([place]);
    } catch (error) {
      if (!(error instanceof InvalidText)) throw error;
      throw new UsageError(`the place of a state: expected ${error.message}`);
    }
  }
  const settings = await readSomeSettings(WITH, values);
  return await reportOn(isGiven(values, "json"), async () => {
    if (!isDatabase(from) && new StateFile(from).presence === "absent") {
      throw new StateStoreError("unusable", `There is no state file ${from}`);
    }
    await using source = await open(from, settings, "read");
    await using target = await open(to, settings, "make");
    const copied = await copyState(source, target);
    const text =
      `Copied ${count(copied.accounts, "account")}, ${count(copied.settings, "setting")} and ${
        count(copied.accesses, "access record")
      } to ${target.name}, compared row by row. ` +
      "Bans and history are not copied";
    return { text, values: { ...copied } };
  });
}

async function open(
  place: string,
  settings: Awaited<ReturnType<typeof readSomeSettings<(typeof WITH)[number]>>>,
  schema: "make" | "read",
): Promise<RowPlace> {
  if (!isDatabase(place)) return new SqliteRows(place);
  const opened = await openState({ place: { ...settings, state: place }, schema });
  if (opened.kind !== "database") throw new TypeError("A URL must lead to a database");
  return new PostgresRows(opened.state);
}

function help(): string {
  return [
    "Usage: postern state copy [flags] FROM TO",
    paragraph(
      "Copies users, administrators, app passwords, settings, the access log and counters from one state to another that has " +
        "no users: from a file into a database (postgres://USER@HOST/DATABASE), or back. No server may use either meanwhile. " +
        "What was written is read again and compared row by row. Bans and history are not copied.",
    ),
    flagsHelp(flags),
    "Exit status: 0 done, 1 failed, 2 wrong usage.",
  ].join("\n\n");
}
