/** The commands of PEEP, one row each; every one is a short word over the same management as MSMP's. */

import type { Management } from "../contracts/management.ts";
import type { AuditEntry } from "../msmp/services.ts";

/** What answers an error (POP3 External Edition Protocol, sections 2.2 to 4), by number. */
export const ERRORS = {
  unknown: 0,
  syntax: 1,
  credentials: 2,
  userExists: 3,
  noSuchUser: 4,
  connections: 5,
  maildir: 6,
  timeout: 7,
} as const;

/** A number of {@linkcode ERRORS}. */
export type PeepError = (typeof ERRORS)[keyof typeof ERRORS];

/** What a command answers: a value or nothing, lines, or an error. */
export type PeepAnswer =
  | { readonly value?: string | number }
  | { readonly lines: readonly string[] }
  | { readonly error: PeepError };

/** What commands work with. */
export interface PeepContext {
  readonly management: Management;
  /** Writes down a change. */
  readonly audit: (entry: Pick<AuditEntry, "action" | "object" | "before" | "after">) => void;
}

/** One command. */
export interface PeepCommand {
  /** How it begins, in small letters: `u+`. */
  readonly name: string;
  /** How many arguments it needs; more are passed over. */
  readonly arguments: number;
  /** What it does, for docs/peep.md. */
  readonly help: string;
  run(context: PeepContext, args: readonly string[]): Promise<PeepAnswer>;
}

/** Changes a setting. */
function setter(name: string, key: string, error: PeepError, help: string): PeepCommand {
  return {
    name,
    arguments: 1,
    help,
    async run({ management, audit }, [value = ""]): Promise<PeepAnswer> {
      const outcome = await management.settings.set(key, value);
      if (outcome.kind !== "changed") return { error };
      audit({ action: "SET", object: key, before: outcome.before, after: outcome.after });
      return {};
    },
  };
}

/** Tells a setting. */
function getter(name: string, key: string, help: string): PeepCommand {
  return {
    name,
    arguments: 0,
    help,
    run: ({ management }) => Promise.resolve({ value: management.settings.get(key) ?? "" }),
  };
}

/** Tells a figure. */
function figure(name: string, metric: string, help: string): PeepCommand {
  return {
    name,
    arguments: 0,
    help,
    async run({ management }): Promise<PeepAnswer> {
      await management.caughtUp();
      return { value: management.figures.get(metric) ?? 0 };
    },
  };
}

/** Every command after login but `q` and `cap?`, which work before it, too. */
export const COMMANDS: readonly PeepCommand[] = [
  {
    name: "u+",
    arguments: 2,
    help: "add a user",
    async run({ management, audit }, [name = "", password = ""]): Promise<PeepAnswer> {
      if (await management.users.find(name) !== undefined) return { error: ERRORS.userExists };
      const outcome = await management.users.add(name, password);
      if (outcome.kind !== "added" && outcome.kind !== "updated") return { error: ERRORS.syntax };
      audit({ action: "ADD", object: outcome.name, after: `${outcome.kind}, password hidden` });
      return {};
    },
  },
  {
    name: "u-",
    arguments: 1,
    help: "delete a user who is not logged in; the mail stays",
    async run({ management, audit }, [name = ""]): Promise<PeepAnswer> {
      const outcome = await management.users.delete(name);
      if (outcome.kind !== "deleted") return { error: ERRORS.noSuchUser };
      audit({ action: "DELE", object: outcome.name, before: "a user", after: "deleted" });
      return {};
    },
  },
  {
    name: "u?",
    arguments: 0,
    help: "list the users",
    run: async ({ management }) => ({ lines: await Array.fromAsync(management.users.list()) }),
  },
  setter("c=", "max_connections", ERRORS.connections, "set the maximum number of connections"),
  getter("c?", "max_connections", "show the maximum number of connections"),
  setter("m=", "maildir", ERRORS.maildir, "set the mail folder"),
  getter("m?", "maildir", "show the mail folder"),
  setter("t=", "timeout", ERRORS.timeout, "set the seconds until an idle session is closed"),
  getter("t?", "timeout", "show them"),
  figure("rb?", "pop3.bytes.sent", "octets sent, ever"),
  figure("re?", "pop3.messages.retrieved", "messages retrieved, ever"),
  figure("xe?", "pop3.messages.deleted", "messages deleted, ever"),
  figure("cc?", "pop3.sessions.active", "connections now"),
  {
    name: "cu?",
    arguments: 0,
    help: "list the users who are logged in now",
    async run({ management }): Promise<PeepAnswer> {
      await management.caughtUp();
      const users = Array.from(management.sessions.list(), ({ user }) => user);
      return { lines: [...new Set(users)].filter((user) => user !== undefined).sort() };
    },
  },
  figure("hc?", "pop3.connections", "connections, ever"),
  figure("hu?", "pop3.logins", "logins, ever"),
];

/** What `cap?` lists: how to authenticate, and the ranges of numbers. */
export const CAPABILITIES: readonly string[] = ["a", "c=1-2147483647", "t=0-604800"];
