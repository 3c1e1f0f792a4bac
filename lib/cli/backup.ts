/** `postern backup`: copies the state file into a new one; a server that holds it is asked to. */

import { basename, dirname, join, resolve } from "node:path";
import { copyPrivately } from "../files/copy_privately.ts";
import { fileErrorNumber, fileErrorReason, isFileError } from "../files/file_error.ts";
import { NoConnectionError, RefusedError } from "../msmp_client/errors.ts";
import { MsmpClient } from "../msmp_client/msmp_client.ts";
import { type BackupRecord, readBackup } from "../msmp_client/records.ts";
import { quote } from "../bytes/quote.ts";
import type { Settings } from "../contracts/settings.ts";
import { type Backup, BackupError, finishCopy, makeBackup, StateAtRest } from "../state/backup.ts";
import { isDatabase } from "../state/postgres/state_url.ts";
import { discard, putInPlace, StateFile } from "../state/state_file.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { Keyboard } from "../terminal/keyboard.ts";
import { StandardInput } from "../terminal/standard_input.ts";
import { readCa, readLogin } from "./admin/admin_login.ts";
import { parseFlags } from "./flags.ts";
import { paragraph } from "./help.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { readSomeSettings, settingFlags } from "./some_settings.ts";
import { backupSentence, reportOn } from "./state_report.ts";
import { UsageError } from "./usage_error.ts";

/** Settings that say where the state is, and the server that has it, taken as `serve` takes them. */
const WHERE = ["state", "adminListen", "adminPort", "config"] as const;

/** A database has backups of its own, which are whole while servers write to it. */
export const NOT_A_FILE =
  "the state is in a database, which its own tools back up and restore (pg_dump, pg_basebackup): expected a file";

/** "On another file system", where a file cannot be moved by its name alone. */
const EXDEV = 18;

/** Milliseconds for an answer: gigabytes take a while. */
const ANSWER_TIMEOUT = 30 * 60 * 1000;

const flags: readonly OwnFlag[] = withHelp([
  ...settingFlags(WHERE),
  ownFlag(
    "user",
    "u",
    "NAME:PASS",
    "administrator of the running server; NAME:@FILE reads the password from a file, NAME alone asks for it",
  ),
  ownFlag("tls", undefined, "", "insist on TLS"),
  ownFlag("ca", undefined, "FILE", "PEM file of the authority that vouches for the server"),
  ownFlag("json", undefined, "", "print the outcome as one line of JSON"),
]);

/**
 * Runs `postern backup`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runBackup(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const [file] = rest;
  if (file === undefined || file === "" || rest.length > 1) {
    throw new UsageError("expected postern backup FILE");
  }
  const settings = await readSomeSettings(WHERE, values);
  if (settings.state === ":memory:") {
    throw new UsageError("--state :memory: keeps nothing: expected a file");
  }
  if (isDatabase(settings.state)) throw new UsageError(NOT_A_FILE);
  const asked: Asked = {
    file,
    settings,
    user: values.get("user")?.[0],
    tls: isGiven(values, "tls"),
    ca: values.get("ca")?.[0],
  };
  return await reportOn(isGiven(values, "json"), async () => {
    const made = await backUp(asked);
    return { text: backupSentence(made), values: { ...made } };
  });
}

function help(): string {
  return [
    "Usage: postern backup [flags] FILE",
    paragraph(
      "Copies the state file to FILE, which must not exist, and checks the copy. While a server holds the state file, that " +
        "server makes the copy in its folder of backups, and FILE gets it from there; the login of an administrator is " +
        "needed for that, also from POSTERN_ADMIN_LOGIN.",
    ),
    flagsHelp(flags),
    "Exit status: 0 done, 1 failed, 2 wrong usage.",
  ].join("\n\n");
}

interface Asked {
  readonly file: string;
  readonly settings: Pick<Settings, (typeof WHERE)[number]>;
  readonly user: string | undefined;
  readonly tls: boolean;
  readonly ca: string | undefined;
}

async function backUp(asked: Asked): Promise<Backup> {
  const { file, settings: { state } } = asked;
  const source = new StateFile(state);
  if (source.presence === "absent") {
    throw new BackupError(`There is no state file ${state}. Name it with --state`);
  }
  try {
    const [folder, name] = [dirname(file), basename(file)];
    return await makeBackup({ source: new StateAtRest(source), folder, name });
  } catch (error) {
    if (!(error instanceof StateStoreError) || error.trouble !== "held") throw error;
    return await fetch(await askServer(asked), file);
  }
}

/** Has the server that holds the state make a backup. */
async function askServer({ settings, user, tls, ca }: Asked): Promise<BackupRecord> {
  const { state, adminListen: [first = "127.0.0.1"], adminPort: port } = settings;
  const host = first === "0.0.0.0" ? "127.0.0.1" : first === "::" ? "::1" : first;
  const authority = ca === undefined ? undefined : await readCa(ca);
  using keyboard = new Keyboard();
  const login = await readLogin(user, keyboard, new StandardInput()).catch((error) => {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`a server holds ${quote(state)} and makes the backup: ${error.message}`);
  });
  try {
    using client = await MsmpClient.connect({
      ...{ host, port, tls, login },
      ...{ ca: authority, patience: ANSWER_TIMEOUT },
    });
    const { ok, text, lines } = await client.request("BACKUP");
    if (!ok) throw new RefusedError(text);
    await client.quit();
    return readBackup(lines);
  } catch (error) {
    if (!(error instanceof NoConnectionError) && !(error instanceof RefusedError)) throw error;
    throw new BackupError(
      `A server holds the state file ${state} and made no backup: ${error.message}`,
      { cause: error },
    );
  }
}

/** Gives a backup that the server made the name that was asked for. */
function fetch({ path, ...contents }: BackupRecord, file: string): Backup {
  const target = resolve(file);
  try {
    try {
      putInPlace(path, target);
    } catch (error) {
      if (fileErrorNumber(error) !== EXDEV) throw error;
      copyOver(path, target);
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
    throw new BackupError(
      `The server made the backup ${path}, but it cannot be moved to ${file}: ${
        fileErrorReason(error)
      }`,
      { cause: error },
    );
  }
  return { path: file, ...contents };
}

/** Moves a backup to another file system, where it is checked again. */
function copyOver(path: string, target: string): void {
  const copy = join(dirname(target), `.${basename(target)}.unfinished-${crypto.randomUUID()}`);
  try {
    copyPrivately(path, copy);
    finishCopy(copy, target);
    putInPlace(copy, target);
  } catch (error) {
    discard(copy);
    throw error;
  }
  Deno.removeSync(path);
}
