/** Picks what session workers are told of the settings. */

import { definitionOf, settingNames } from "../settings/definitions.ts";
import type { SessionSettings, Settings } from "../contracts/settings.ts";

const names = settingNames.filter((name) => definitionOf(name).session);

/** The settings without secrets and without what only the main thread needs: those whose definition says `session`. */
export function sessionSettings(settings: Settings): SessionSettings {
  const told = Object.fromEntries(names.map((name) => [name, settings[name]]));
  return told as unknown as SessionSettings;
}
