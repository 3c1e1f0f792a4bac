/** The admin client as a shell, and as a reader of commands from a pipe. */

import type { Keyboard } from "../../terminal/keyboard.ts";
import { print } from "../../terminal/output.ts";
import type { AdminSession } from "./admin_session.ts";
import type { Argument } from "../../msmp/argument_kinds.ts";
import { holdsSecret } from "./command_line.ts";
import { NoConnectionError, RefusedError } from "../../msmp_client/errors.ts";
import { History } from "../../terminal/history.ts";
import { prompt } from "./prompt.ts";
import { readFigures } from "../../msmp_client/records.ts";
import type { Runner } from "./runner.ts";

/** What the shell needs. */
export interface ShellOptions {
  readonly runner: Runner;
  readonly session: AdminSession;
  readonly keyboard: Keyboard;
  /** What stands before each line. */
  readonly prompt: string;
  /** Said at the start. */
  readonly welcome: string;
}

/**
 * Asks for commands until the user leaves.
 *
 * @returns 0: what went wrong was said at once
 */
export async function runShell(options: ShellOptions): Promise<number> {
  const { runner, session, keyboard } = options;
  const history = new History();
  print(`${options.welcome}\n`);
  for (;;) {
    const outcome = await prompt({
      keyboard,
      history,
      text: options.prompt,
      names: (kind) => namesFor(kind, session),
    });
    if (outcome.kind === "left") return 0;
    if (outcome.kind === "cancelled" || outcome.line.trim() === "") continue;
    if (!holdsSecret(outcome.line)) history.add(outcome.line);
    using interrupt = new Interrupt();
    if ((await runner.run(outcome.line, interrupt.signal)).leave) return 0;
  }
}

/** Ctrl-C while a command is at work. */
class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #abort = (): void => this.#controller.abort();

  constructor() {
    Deno.addSignalListener("SIGINT", this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#abort);
  }
}

/**
 * Runs the lines of a pipe. Empty ones, and those that begin with `#`, are passed over.
 *
 * @returns the exit status of the last that failed, else 0
 */
export async function runLines(
  lines: AsyncIterable<string>,
  runner: Runner,
): Promise<number> {
  let status = 0;
  for await (const line of lines) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const outcome = await runner.run(line);
    if (outcome.status !== 0) status = outcome.status;
    if (outcome.leave) break;
  }
  return status;
}

/** Names for completion; where the server gives none, none are offered. */
async function namesFor(kind: Argument, session: AdminSession): Promise<readonly string[]> {
  try {
    if (kind === "user") return (await session.request(() => "LIST")).lines;
    if (kind === "metric") {
      return readFigures((await session.request(() => "STAT")).lines).map(({ name }) => name);
    }
    if (kind === "session" && (await session.client()).version === 2) {
      return (await session.request(() => "SESSIONS")).lines.map((line) => line.split(" ")[0]!);
    }
  } catch (error) {
    if (!(error instanceof NoConnectionError) && !(error instanceof RefusedError)) throw error;
  }
  return [];
}
