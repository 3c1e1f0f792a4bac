/** `postern admin`: manages a running server over its management port. */

import { quote } from "../../bytes/quote.ts";
import { askNewSecret } from "../../terminal/ask_secret.ts";
import { Keyboard } from "../../terminal/keyboard.ts";
import { readNameAndPassword } from "../name_and_password.ts";
import { answerHelp } from "../own_flags.ts";
import { StandardInput } from "../../terminal/standard_input.ts";
import { complain, print } from "../../terminal/output.ts";
import { UsageError } from "../usage_error.ts";
import {
  type AdminArguments,
  adminHelp,
  type AskedCommand,
  parseAdminArguments,
} from "./admin_arguments.ts";
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
  const ca = asked.ca === undefined ? undefined : await readCa(asked.ca);
  await using session = new AdminSession({ ...asked, login, ca });
  return await manage({ asked, session, keyboard, input });
}

interface Managing {
  readonly asked: AdminArguments;
  readonly session: AdminSession;
  readonly keyboard: Keyboard;
  readonly input: StandardInput;
}

async function manage({ asked, session, keyboard, input }: Managing): Promise<number> {
  const isTerminal = Deno.stdin.isTerminal();
  const isScreen = isTerminal && Deno.stdout.isTerminal();
  const { commands } = asked;
  const isShell = commands.length === 0 && isScreen;
  const askPassword = async (name: string): Promise<string | undefined> => {
    if (isTerminal) return await askNewSecret(keyboard, safe(name));
    // In a pipe of commands, the next line is a command.
    return commands.length === 0 ? undefined : await input.next();
  };
  const runner = new Runner({
    session,
    json: asked.json,
    csv: asked.csv,
    print: (text) => print(`${text}\n`),
    complain: isShell ? complain : (text) => complain(`postern: ${text}`),
    askPassword,
    top: (over) =>
      top({
        session: over,
        place: place(asked),
        keyboard: isScreen ? keyboard : undefined,
        json: asked.json,
      }),
  });
  if (commands.length > 0) return await runCommands(commands, runner, askPassword);
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

/**
 * Runs the commands of the line in their order.
 *
 * @returns the exit status of the last that failed, else 0
 */
async function runCommands(
  commands: readonly AskedCommand[],
  runner: Runner,
  askPassword: (name: string) => Promise<string | undefined>,
): Promise<number> {
  let status = 0;
  for (const command of commands) {
    const line = command.kind === "line"
      ? command.line
      : await additionOf(command.user, askPassword);
    const outcome = await runner.run(line);
    if (outcome.status !== 0) status = outcome.status;
    if (outcome.leave) break;
  }
  return status;
}

/** The protocol's own ADD, whose answer says whether the user is new. */
async function additionOf(
  user: string,
  askPassword: (name: string) => Promise<string | undefined>,
): Promise<string> {
  const { name, password } = await readNameAndPassword(user, "-n");
  if (name.includes(" ")) throw new UsageError(`-n ${quote(name)}: expected a name without blanks`);
  const given = password ?? await askPassword(name);
  if (given) return `ADD ${name} ${given}`;
  throw new UsageError(`no password of ${quote(name)}: expected -n NAME:PASS or -n NAME:@FILE`);
}
