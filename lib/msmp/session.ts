/** A management connection: which phase it is in, what its lines mean there, and what is told of it. */

import { logger } from "../log/logging.ts";
import type { TlsFacts } from "../contracts/connection.ts";
import type { CloseReason } from "../contracts/event.ts";
import {
  type Command,
  type CommandLine,
  type CommandTable,
  readCommandLine,
} from "../wire/command_table.ts";
import type { Dialogue, Patience } from "../wire/dialogue.ts";
import { COMMAND_LINE_OCTETS, MANAGEMENT_LINE_OCTETS } from "../wire/limits.ts";
import type { Reply } from "../wire/reply.ts";
import type { MsmpContext } from "./context.ts";
import { ManagementError } from "../contracts/management.ts";
import { Administration, Authorization } from "./phases.ts";
import { BANNED, TOO_MANY_FROM_ADDRESS } from "./refusals.ts";
import type { MsmpServices } from "./services.ts";
import { shown } from "./text.ts";
import { authorizationTable, version1Table, version2Table } from "./tables.ts";

const log = logger("msmp");

/** How long, in milliseconds, a client may leave an answer unread. */
const UNREAD_MS = 30_000;

/** The dialogue of one management connection. */
export class MsmpSession implements Dialogue, MsmpContext {
  readonly services: MsmpServices;
  #phase: Authorization | Administration;
  #tls: TlsFacts | undefined;
  #work: AbortController | undefined;
  readonly #gone = new AbortController();
  /** The last command was ended by another line; if that one is empty, this was all it was for. */
  #interrupted = false;
  readonly #loginDeadline: number;

  /** @param tls what was agreed before the greeting, if anything was */
  constructor(services: MsmpServices, tls?: TlsFacts) {
    this.services = services;
    this.#tls = tls;
    this.#phase = new Authorization(this);
    this.#loginDeadline = services.clock.monotonic() + services.settings.loginTimeout * 1000;
  }

  get maxBadCommands(): number {
    return this.services.settings.maxBadCommands;
  }

  get lineLimit(): number {
    return this.#version === 2 ? MANAGEMENT_LINE_OCTETS : COMMAND_LINE_OCTETS;
  }

  get secure(): boolean {
    return this.#tls !== undefined;
  }

  /** Before login the clock runs from the connection on, after it from line to line. */
  get patience(): Patience {
    if (this.#phase.name === "authorization") {
      // 0 would wait for ever.
      const left = Math.max(1, this.#loginDeadline - this.services.clock.monotonic());
      return { read: left, silent: "login-timeout", write: UNREAD_MS };
    }
    const read = this.services.settings.adminTimeout * 1000;
    return { read, silent: "idle", write: UNREAD_MS };
  }

  greet(): Reply {
    const { management, address, isOverLimit } = this.services;
    if (isOverLimit) return TOO_MANY_FROM_ADDRESS;
    if (management.administrators.banned(address)) return BANNED;
    return { kind: "ok", text: "MSMP1 server ready" };
  }

  obey(octets: Uint8Array): Reply | Promise<Reply> {
    const wasInterrupted = this.#interrupted;
    this.#interrupted = false;
    this.#work = undefined;
    // An empty line that ended WATCH has had its effect; it gets no answer of its own.
    if (wasInterrupted && octets.length === 0) return { kind: "lines", lines: [] };
    try {
      return this.#carryOut(readCommandLine(octets));
    } catch (error) {
      return this.#explain(error);
    }
  }

  refuseLongLine(): Reply {
    this.#interrupted = false;
    return { kind: "error", text: `The line is longer than ${this.lineLimit} octets`, bad: true };
  }

  answered(): void {}

  wrote(): void {}

  secured(tls: TlsFacts): void {
    this.#tls = tls;
    // RFC 2595, section 4: what the client said in clear is not believed any more. How often it was wrong is our own knowledge, and
    // stays: TLS buys no more guesses.
    const failures = this.#phase.name === "authorization" ? this.#phase.failures : 0;
    this.#phase = new Authorization(this, failures);
  }

  unsecured(reason: string | undefined): void {
    this.services.handshakeFailed(reason);
  }

  interrupted(): void {
    this.#interrupted = this.#work !== undefined;
    this.#work?.abort();
  }

  hangUp(): void {
    this.#work?.abort();
    this.#gone.abort();
  }

  end(reason: CloseReason): Promise<void> {
    this.hangUp();
    this.services.ended(reason);
    return Promise.resolve();
  }

  commands(): readonly string[] {
    const phase = this.#phase;
    const commands = phase.name === "authorization"
      ? authorizationTable.available(this)
      : tableOf(phase).available(this);
    return commands.map(({ name }) => name);
  }

  enter(administrator: string): void {
    this.#phase = new Administration(this, administrator, 1);
    this.services.entered(administrator);
  }

  upgrade(): void {
    if (this.#phase.name === "administration") {
      this.#phase = new Administration(this, this.#phase.administrator, 2);
    }
  }

  workSignal(): AbortSignal {
    this.#work ??= new AbortController();
    return this.#work.signal;
  }

  goneSignal(): AbortSignal {
    return this.#gone.signal;
  }

  get #version(): 1 | 2 {
    return this.#phase.name === "administration" ? this.#phase.version : 1;
  }

  #carryOut(line: CommandLine): Reply | Promise<Reply> {
    const phase = this.#phase;
    return phase.name === "authorization"
      ? this.#run(authorizationTable, phase, line)
      : this.#run(tableOf(phase), phase, line);
  }

  #run<S>(
    table: CommandTable<S, MsmpContext>,
    phase: S,
    { keyword, rest }: CommandLine,
  ): Reply | Promise<Reply> {
    const entry = table.find(keyword, this);
    if (entry === undefined) return this.#unknown(keyword);
    this.#trace(entry, rest);
    const answer = entry.run(phase, rest);
    return answer instanceof Promise ? answer.catch((error) => this.#explain(error)) : answer;
  }

  /** Says why a keyword means nothing here; the keyword itself is not repeated. */
  #unknown(keyword: string): Reply {
    const text = this.#phase.name === "authorization"
      ? version2Table.find(keyword, this) === undefined ? "Unknown command" : "Log in first"
      : authorizationTable.find(keyword, this) !== undefined
      ? "You are logged in already"
      : this.#phase.version === 1 && version2Table.find(keyword, this) !== undefined
      ? "This command needs MSMP 2"
      : "Unknown command";
    return { kind: "error", text, bad: true };
  }

  /** What an administrator did wrong, or should know; everything else is a fault of ours, which the engine tells. */
  #explain(error: unknown): Reply {
    if (error instanceof SyntaxError) return { kind: "error", text: error.message, bad: true };
    const text = error instanceof ManagementError ? error.message : this.services.explain(error);
    if (text === undefined) throw error;
    return { kind: "error", text: shown(text) };
  }

  #trace<S>(entry: Command<S, MsmpContext>, rest: string): void {
    if (!log.isEnabledFor("trace")) return;
    const shown = entry.secret === "all"
      ? "…"
      : entry.secret === "after-first"
      ? rest.replace(/^( *[^ ]+).*/s, "$1 …")
      : rest;
    log.trace("{address}: {command} {arguments}", {
      address: this.services.address,
      command: entry.name,
      arguments: shown,
    });
  }
}

function tableOf(phase: Administration): CommandTable<Administration, MsmpContext> {
  return phase.version === 1 ? version1Table : version2Table;
}
