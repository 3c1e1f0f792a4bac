/** The program from its arguments to its exit status. */

import { SettingError } from "../settings/errors.ts";
import { chooseCommand, type Command } from "./commands.ts";
import { helpSection } from "./help.ts";
import { asksForHelp } from "./own_flags.ts";
import { complain, printLine } from "../terminal/output.ts";
import { UsageError } from "./usage_error.ts";

/** Each command's code is loaded when it is run: a health check must not pay for the server. */
const commands: readonly [Command, ...Command[]] = [
  {
    name: "serve",
    summary: "run the server (the default command)",
    run: async (args) => await (await import("./serve.ts")).serve.run(args),
  },
  {
    name: "admin",
    summary: "manage a running server: single command, interactive shell, or live view",
    run: async (args) => await (await import("./admin/admin.ts")).runAdmin(args),
  },
  {
    name: "health",
    summary: "health check for supervisors: connect, read the greeting, quit",
    run: async (args) => await (await import("./health.ts")).runHealth(args),
  },
  {
    name: "user",
    summary:
      "manage users while no server runs: add, passwd, delete, list, set, key, import, check",
    run: async (args) => await (await import("./user.ts")).runUser(args),
  },
  {
    name: "deliver",
    summary: "put the message on standard input into a user's mailbox",
    run: async (args) => await (await import("./deliver.ts")).runDeliver(args),
  },
  {
    name: "check",
    summary: "look at every user's mailbox, and say what could not be served",
    run: async (args) => await (await import("./check.ts")).runCheck(args),
  },
  {
    name: "demo",
    summary: "make mailboxes and users to try, and serve them",
    run: async (args) => await (await import("./demo.ts")).runDemo(args),
  },
  {
    name: "backup",
    summary: "copy the state file, also while a server runs",
    run: async (args) => await (await import("./backup.ts")).runBackup(args),
  },
  {
    name: "restore",
    summary: "replace the state file by a backup, while no server runs",
    run: async (args) => await (await import("./restore.ts")).runRestore(args),
  },
  {
    name: "state",
    summary: "copy a state from a file into a database, or back",
    run: async (args) => await (await import("./state.ts")).runState(args),
  },
  {
    name: "import",
    summary: "take over unique-ids, users and mail of another server",
    run: async (args) => await (await import("./import/import.ts")).runImport(args),
  },
  {
    name: "verify",
    summary: "compare unique-ids with an answer of the old server",
    run: async (args) => await (await import("./import/verify.ts")).runVerify(args),
  },
];

/**
 * Runs the command that the arguments name.
 *
 * @returns the exit status: 0 done, 1 it could not be done, 2 the arguments are wrong, 3 there is no connection (`admin`)
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    if (args[0]?.startsWith("-") && asksForHelp(args)) return printLine(await programHelp());
    const { command, args: rest } = chooseCommand(args, commands);
    return await command.run(rest);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof SettingError)) throw error;
    complain(`postern: ${error.message}`);
    return 2;
  }
}

/** What `postern -h` shows: the commands, and the flags of the first. */
async function programHelp(): Promise<string> {
  const { serveHelp } = await import("./serve_arguments.ts");
  const lines = commands.map(({ name, summary }) => ({ flag: `postern ${name}`, help: summary }));
  return [
    helpSection("Commands", lines),
    "postern COMMAND -h explains a command. The flags of serve:",
    serveHelp().trimEnd(),
  ].join("\n\n");
}
