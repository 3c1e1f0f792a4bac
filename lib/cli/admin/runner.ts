/** Runs one line of the admin client and says how it ended; the shell, the pipe and the one-shot command share it. */

import { UsageError } from "../usage_error.ts";
import { commandsHelp, helpOn } from "./admin_help.ts";
import type { AdminSession } from "./admin_session.ts";
import { checkArguments, chooseAdminCommand, type Chosen, lacksPassword } from "./command_line.ts";
import { NoConnectionError, RefusedError } from "../../msmp_client/errors.ts";
import { csv } from "./csv.ts";
import { json, safe } from "../../terminal/safe_text.ts";
import { figures, needsVersion2 } from "./views.ts";

/** What lines are run with. */
export interface RunnerOptions {
  readonly session: AdminSession;
  /** Whether each answer is one line of JSON. */
  readonly json: boolean;
  /** Whether lists are CSV. */
  readonly csv: boolean;
  /** Writes a text to standard output, with a line end; returns whether anybody reads it. */
  readonly print: (text: string) => boolean;
  /** Writes a sentence to standard error. */
  readonly complain: (text: string) => void;
  /** Asks for a new password; undefined where nobody can be asked, or nobody answered. */
  readonly askPassword: (name: string) => Promise<string | undefined>;
  /** Shows the live view, or one picture of it. */
  readonly top: (session: AdminSession) => Promise<void>;
}

/** How a line ended. */
export interface LineOutcome {
  /** 0 done, 1 refused, 2 not understood, 3 no connection. */
  readonly status: number;
  /** Whether the user wants to leave. */
  readonly leave: boolean;
}

const NEVER = new AbortController().signal;

/** Runs lines. */
export class Runner {
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs a line; what goes wrong is complained about and told by the status.
   *
   * @param signal aborted when the user wants it to end before it has; the connection is dropped then, unless it only watches
   */
  async run(line: string, signal: AbortSignal = NEVER): Promise<LineOutcome> {
    try {
      const chosen = chooseAdminCommand(line);
      const { local } = chosen.command;
      // A command of the protocol is for the server to judge.
      if (chosen.command.group !== "MSMP") checkArguments(chosen);
      if (local === "quit") {
        await this.#options.session[Symbol.asyncDispose]();
        return { status: 0, leave: true };
      }
      await this.#do(chosen, signal);
      return { status: 0, leave: false };
    } catch (error) {
      return { status: this.#report(error), leave: false };
    }
  }

  async #do(chosen: Chosen, signal: AbortSignal): Promise<void> {
    const { session, top } = this.#options;
    switch (chosen.command.local) {
      case "help":
        return this.#help(chosen.argument);
      case "top":
        return await top(session);
      case "trace":
        return await this.#trace(chosen.argument, signal);
      case "watch":
        return await this.#watch(chosen.argument, signal);
      default:
        return await this.#ask(chosen, signal);
    }
  }

  async #ask(chosen: Chosen, signal: AbortSignal): Promise<void> {
    const { session } = this.#options;
    const { command } = chosen;
    await this.#check(chosen);
    const argument = await this.#withPassword(chosen);
    if (/[\r\n\0]/.test(argument)) throw new UsageError("a command cannot hold a line break");
    let version: 1 | 2 = 1;
    const drop = (): void => session.drop();
    signal.addEventListener("abort", drop);
    const answer = await session.request((spoken) => {
      version = spoken;
      return command.request(argument, spoken);
    }).finally(() => signal.removeEventListener("abort", drop));
    if (!answer.ok) throw new RefusedError(answer.text === "" ? "refused" : answer.text);
    const shown = command.view(answer, { version, argument });
    this.#show(shown.text, shown.json);
  }

  async #check({ command: { precondition }, argument }: Chosen): Promise<void> {
    if (precondition === undefined || /[\r\n\0]/.test(argument)) return;
    const answer = await this.#options.session.request(() => precondition.question(argument));
    const refusal = precondition.refusal(answer.ok, answer.text, argument);
    if (refusal !== undefined) throw new RefusedError(refusal);
  }

  async #withPassword(chosen: Chosen): Promise<string> {
    if (!lacksPassword(chosen)) return chosen.argument;
    const name = chosen.argument.trim();
    const password = await this.#options.askPassword(name);
    if (password === undefined || password === "") {
      throw new UsageError(`no password: expected ${chosen.command.words} ${name} <password>`);
    }
    return `${name} ${password}`;
  }

  #help(words: string): void {
    const text = words.trim() === "" ? commandsHelp() : helpOn(words);
    if (text === undefined) throw new UsageError(`unknown command ${safe(words.trim())}`);
    this.#show(text, { help: text });
  }

  async #watch(argument: string, signal: AbortSignal): Promise<void> {
    const { session } = this.#options;
    const seconds = argument.trim() === "" ? "2" : argument.trim();
    if (!/^[1-9]\d{0,4}$/.test(seconds)) {
      throw new UsageError("watch takes seconds: expected a whole number from 1");
    }
    const client = await session.client();
    for await (const lines of client.watch(Number(seconds), signal)) {
      const { text, json: value } = figures(
        { ok: true, text: "", lines },
        { version: client.version, argument: "" },
      );
      // As in `watch | head`: the connection goes with the program, or serves the next command anew.
      if (!this.#show(`${text}\n`, value)) return session.drop();
    }
  }

  async #trace(argument: string, signal: AbortSignal): Promise<void> {
    const { session } = this.#options;
    const client = await session.client();
    needsVersion2("trace", client.version);
    const subject = argument.trim().replace(/ --bodies$/, " bodies");
    for await (const line of client.stream(`TRACE ${subject}`, signal)) {
      if (!this.#show(safe(line), { line })) return session.drop();
    }
  }

  /** Returns whether anybody reads it. */
  #show(text: string, value: unknown): boolean {
    const { print } = this.#options;
    if (this.#options.csv && Array.isArray(value) && value.length > 0) return print(csv(value));
    if (this.#options.json) return print(json(value));
    return text === "" || print(text);
  }

  #report(error: unknown): number {
    const isOurs = error instanceof UsageError || error instanceof RefusedError ||
      error instanceof NoConnectionError;
    if (!isOurs) throw error;
    if (this.#options.json) this.#options.print(json({ ok: false, message: error.message }));
    this.#options.complain(safe(error.message));
    return error.exitStatus;
  }
}
