/** `postern admin`: manages a running server over its management port. */

import { quote } from "../../bytes/quote.ts";
import { askNewSecret } from "../../terminal/ask_secret.ts";
import { Keyboard } from "../../terminal/keyboard.ts";
import { readNameAndPassword } from "../name_and_password.ts";
import { answerHelp } from "../own_flags.ts";
import { StandardInput } from "../../terminal/standard_input.ts";
import { complain, print } from "../../terminal/output.ts";
import { UsageError } from "../usage_error.ts";
import { type AdminArguments, adminHelp, parseAdminArguments } from "./admin_arguments.ts";
import { readCa, readLogin } from "./admin_login.ts";
import { AdminSession } from "./admin_session.ts";
import { place } from "../../msmp_client/dial.ts";
import { NoConnectionError, RefusedError } from "../../msmp_client/errors.ts";
import { Runner } from "./runner.ts";
import { safe } from "../../terminal/safe_text.ts";
import { runLines, runShell } from "./shell.ts";
import { top } from "./top.ts";

/**
 * Runs `postern admin`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runAdmin(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, adminHelp);
  if (helped !== undefined) return helped;
  const asked = parseAdminArguments(args);
  using keyboard = new Keyboard();
  const input = new StandardInput();
  const login = await readLogin(asked.user, keyboard, input);
  const command = await readCommand(asked);
  const ca = asked.ca === undefined ? undefined : await readCa(asked.ca);
  await using session = new AdminSession({ ...asked, login, ca });
  return await manage({ asked, command, session, keyboard, input });
}

interface Managing {
  readonly asked: AdminArguments;
  readonly command: string;
  readonly session: AdminSession;
  readonly keyboard: Keyboard;
  readonly input: StandardInput;
}

async function manage({ asked, command, session, keyboard, input }: Managing): Promise<number> {
  const isTerminal = Deno.stdin.isTerminal();
  const isScreen = isTerminal && Deno.stdout.isTerminal();
  const isShell = command === "" && isScreen;
  const runner = new Runner({
    session,
    json: asked.json,
    print: (text) => print(`${text}\n`),
    complain: isShell ? complain : (text) => complain(`postern: ${text}`),
    askPassword: async (name) => {
      if (isTerminal) return await askNewSecret(keyboard, safe(name));
      // In a pipe of commands, the next line is a command.
      return command === "" ? undefined : await input.next();
    },
    top: (over) =>
      top({
        session: over,
        place: place(asked),
        keyboard: isScreen ? keyboard : undefined,
        json: asked.json,
      }),
  });
  if (command !== "") return (await runner.run(command)).status;
  const failed = await connectFirst(session);
  if (failed !== undefined) return failed;
  if (!isShell) return await runLines(input, runner);
  const { version, secure } = await session.client();
  return await runShell({
    runner,
    session,
    keyboard,
    prompt: "postern> ",
    welcome:
      `Connected to ${place(asked)}${secure ? " under TLS" : ""}, MSMP version ${version}. ` +
      "Type help for the commands, Ctrl-D to leave.",
  });
}

/** A shell without a server would be of no use, so this is found out before the first command. */
async function connectFirst(session: AdminSession): Promise<number | undefined> {
  try {
    await session.client();
    return undefined;
  } catch (error) {
    if (!(error instanceof NoConnectionError) && !(error instanceof RefusedError)) throw error;
    complain(`postern: ${safe(error.message)}`);
    return error.exitStatus;
  }
}

/** The command; `-n` is one, too. */
async function readCommand({ newUser, command }: AdminArguments): Promise<string> {
  if (newUser === undefined) return command;
  const { name, password } = await readNameAndPassword(newUser, "-n");
  if (name.includes(" ")) throw new UsageError(`-n ${quote(name)}: expected a name without blanks`);
  return password === undefined ? `add user ${name}` : `add user ${name} ${password}`;
}
