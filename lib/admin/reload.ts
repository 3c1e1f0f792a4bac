/** RELOAD and SIGHUP: everything that is read from files is read again. */

import { ManagementError, type ReloadOutcome } from "../contracts/management.ts";
import { logger, type Logging } from "../log/logging.ts";
import type { ConfigFile } from "../settings/config_file.ts";
import type { LiveSettingsRegistry, SettingChange } from "../settings/live_settings.ts";
import type { PasswdFile } from "../auth/passwd/passwd_file.ts";

const log = logger("server");

/** What is read again. */
export interface ReloadOptions {
  readonly registry: Pick<LiveSettingsRegistry, "reload">;
  /** Reads the config file. */
  readonly config: () => Promise<ConfigFile | undefined>;
  readonly users: Pick<PasswdFile, "reread"> | undefined;
  /** Reads the certificates and brings them to the workers; absent where there are none. */
  readonly certificates: (() => Promise<void>) | undefined;
  readonly logging: Pick<Logging, "reopen">;
  /** Told at the end: users may have other kinds of keys now. */
  readonly changed: () => void;
}

/**
 * Reads everything again. What is wrong stays as it was, and does not keep the rest from being read.
 *
 * @throws {ManagementError} naming all that is wrong
 */
export async function reload(options: ReloadOptions): Promise<ReloadOutcome> {
  const { registry, config, users, certificates, logging, changed } = options;
  const problems: Error[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      problems.push(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  };
  logging.reopen();
  const outcome = await attempt(async () => await registry.reload(await config()));
  await attempt(async () => await users?.reread());
  await attempt(async () => await certificates?.());
  changed();
  const { changes = [], warnings = [] } = outcome ?? {};
  for (const change of changes) log.info("{change}", { change: changeText(change) });
  for (const warning of warnings) log.warn("{warning}", { warning });
  for (const error of problems) log.error("Reload failed in part: {error}", { error });
  if (problems.length > 0) {
    throw new ManagementError(problems.map(({ message }) => message).join("; "), {
      cause: problems[0],
    });
  }
  return { changes: changes.map(changeText), warnings };
}

function changeText({ key, before, after }: SettingChange): string {
  return `${key}: ${before} → ${after}`;
}
