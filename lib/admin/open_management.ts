/** What administrators can do, made from the server's parts. */

import type { CloseReason } from "../contracts/event.ts";
import type { FleetManagement } from "../contracts/fleet.ts";
import type {
  BackupManagement,
  LifeManagement,
  Management,
  OwnFigures,
  SessionManagement,
  TraceManagement,
} from "../contracts/management.ts";
import type { Observatory } from "../observe/observatory.ts";
import { METRICS } from "../observe/metrics.ts";
import type { LiveSettingsRegistry } from "../settings/live_settings.ts";
import type { Accounts } from "../auth/accounts.ts";
import type { LoginGuard } from "../auth/login_guard.ts";
import { RegisteredAdministrators } from "./administrator_management.ts";
import { Bans } from "./bans.ts";
import { RegisteredTrash, type TrashOfMailboxes } from "./trash_management.ts";
import { RegisteredSettings } from "./setting_management.ts";
import { RegisteredKeys, RegisteredUsers, type UserManagementOptions } from "./user_management.ts";

/** The server's parts that administrators reach. */
export interface ManagementOptions extends Pick<UserManagementOptions, "locks" | "store"> {
  readonly registry: LiveSettingsRegistry;
  readonly accounts: Pick<Accounts, "users" | "administrators" | "records">;
  readonly fields: UserManagementOptions["fields"];
  readonly trash: () => TrashOfMailboxes;
  readonly accesses: UserManagementOptions["accesses"];
  readonly observatory: Pick<Observatory, "sessions" | "counters" | "history" | "hours">;
  /** Of users' logins, and of administrators'. */
  readonly guards: { readonly users: LoginGuard; readonly administrators: LoginGuard };
  /** Ends a POP3 session. Returns whether there was such a one. */
  readonly closeSession: (id: string, reason: CloseReason) => boolean;
  /** Told when what workers know may have changed: users' keys, bans. */
  readonly changed: () => void;
  readonly caughtUp: () => Promise<void>;
  readonly backups: BackupManagement;
  readonly life: LifeManagement;
  readonly traces: TraceManagement;
  /** Present where other servers share the state. */
  readonly fleet?: FleetManagement | undefined;
}

/** Puts management together. */
export function openManagement(options: ManagementOptions): Management {
  const {
    registry,
    accounts,
    accesses,
    fields,
    trash,
    locks,
    store,
    guards,
    changed,
    caughtUp,
    life,
  } = options;
  return {
    users: new RegisteredUsers({
      register: accounts.users.register,
      locks,
      accesses,
      store,
      fields,
      records: accounts.records,
      limit: () => registry.settings.maxUsers,
      changed,
    }),
    keys: new RegisteredKeys(accounts.users.register),
    trash: new RegisteredTrash({ records: accounts.records, trash }),
    administrators: new RegisteredAdministrators({
      accounts: accounts.administrators,
      guard: guards.administrators,
      attempted: changed,
    }),
    settings: new RegisteredSettings(registry),
    sessions: sessionsOf(options),
    figures: figuresOf(options.observatory),
    bans: new Bans({
      ...guards,
      names: () => registry.settings,
      changed,
    }),
    backups: options.backups,
    life,
    traces: options.traces,
    fleet: options.fleet,
    caughtUp,
  };
}

function sessionsOf({ observatory, closeSession }: ManagementOptions): SessionManagement {
  const { sessions } = observatory;
  return {
    list: () => sessions,
    kick: (id) => {
      const session = sessions.get(id);
      // The row is live, and gone once the session is.
      const last = session && { ...session };
      return last !== undefined && closeSession(id, "kicked") ? last : undefined;
    },
  };
}

function figuresOf({ counters, history, hours }: ManagementOptions["observatory"]): OwnFigures {
  return {
    all: () => METRICS.map(({ name }) => [name, counters.get(name) ?? 0] as const),
    get: (name) => counters.get(name),
    history: (name, minutes) => history.query(name, minutes),
    hours: (name, count) => hours.query(name, count),
  };
}
