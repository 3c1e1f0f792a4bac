/** Names files by whole paths, so that no change of the working directory changes what a reload reads (docs/security.md). */

import { resolve } from "node:path";
import { isDatabase } from "../state/postgres/state_url.ts";
import type { Settings } from "../contracts/settings.ts";
import { resolveSettings, type SettingInputs } from "./resolve.ts";

const FILES = [
  "accessLog",
  "backupDir",
  "config",
  "homes",
  "logFile",
  "maildir",
  "state",
  "tlsCert",
  "tlsKey",
  "tlsPfx",
  "users",
] as const;

/** By settings: who asks again gets the same object. */
const known = new WeakMap<Settings, Settings>();

/**
 * The same settings with whole paths.
 *
 * @param folder what relative paths start from; undefined leaves them
 */
export function absolutePaths(settings: Settings, folder: string | undefined): Settings {
  if (folder === undefined) return settings;
  const before = known.get(settings);
  if (before !== undefined) return before;
  const whole = (path: string): string =>
    path === ":memory:" || isDatabase(path) ? path : resolve(folder, path);
  const changed: Record<string, unknown> = {};
  for (const name of FILES) {
    const value = settings[name];
    if (value === undefined) continue;
    changed[name] = typeof value === "string" ? whole(value) : value.map(whole);
  }
  const { oauthJwks } = settings;
  if (oauthJwks !== undefined && !/^https?:/i.test(oauthJwks)) changed.oauthJwks = whole(oauthJwks);
  const absolute = Object.freeze({ ...settings, ...changed });
  known.set(settings, absolute);
  return absolute;
}

/** The settings at the start, with whole paths. @throws {SettingError} as {@linkcode resolveSettings} */
export function startSettings(inputs: SettingInputs): Settings {
  return absolutePaths(resolveSettings(inputs).settings, inputs.folder);
}
