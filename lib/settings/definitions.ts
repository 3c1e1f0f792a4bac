/** The definition of every setting, in the order in which help and manual show them. */

import {
  type Definitions,
  flagName,
  type SettingDefinition,
  settingKey,
  type SettingName,
} from "./definition.ts";
import { limits } from "./definitions/limits.ts";
import { listening } from "./definitions/listening.ts";
import { mail } from "./definitions/mail.ts";
import { management } from "./definitions/management.ts";
import { running } from "./definitions/running.ts";
import { tls } from "./definitions/tls.ts";
import { transformer } from "./definitions/transformer.ts";
import { users } from "./definitions/users.ts";

/** Every setting's definition. */
export const definitions: Definitions = {
  ...listening,
  ...mail,
  ...users,
  ...limits,
  ...tls,
  ...transformer,
  ...management,
  ...running,
};

/** Settings that belong together. */
export interface SettingGroup {
  readonly title: string;
  readonly names: readonly SettingName[];
}

const group = (title: string, family: Partial<Definitions>): SettingGroup => ({
  title,
  names: Object.keys(family) as SettingName[],
});

/** The groups of help and manual. */
export const groups: readonly SettingGroup[] = [
  group("Listening", listening),
  group("Mail", mail),
  group("Users and logins", users),
  group("Limits", limits),
  group("TLS", tls),
  group("Transformer", transformer),
  group("Management", management),
  group("State, logging and life", running),
];

/** Every setting's name. */
export const settingNames: readonly SettingName[] = groups.flatMap(({ names }) => names);

/** A setting's definition, for code that serves any of them. */
export function definitionOf(name: SettingName): SettingDefinition<unknown> {
  return definitions[name] as SettingDefinition<unknown>;
}

const byKey: ReadonlyMap<string, SettingName> = new Map(
  settingNames.map((name) => [settingKey(name), name]),
);
const byFlag: ReadonlyMap<string, SettingName> = new Map(
  settingNames.map((name) => [flagName(name), name]),
);

/** Finds a setting by the name that SET and GET use, such as `max_users`; case matters. */
export function settingByKey(key: string): SettingName | undefined {
  return byKey.get(key);
}

/** Finds a setting by its flag's name without dashes in front, such as `max-users`; case matters. */
export function settingByFlag(flag: string): SettingName | undefined {
  return byFlag.get(flag);
}

/** Whether SET can change it while the server runs. */
export function isLive(name: SettingName): boolean {
  return definitionOf(name).takesEffect !== "next start";
}
