/** A POP3 session: which phase it is in, what its lines mean there, and what is told of it. */

import type { TlsFacts } from "../contracts/connection.ts";
import type { CloseReason } from "../contracts/event.ts";
import {
  type Command,
  type CommandLine,
  type CommandTable,
  readCommandLine,
} from "../wire/command_table.ts";
import type { Dialogue, Outcome, Patience } from "../wire/dialogue.ts";
import { COMMAND_LINE_OCTETS } from "../wire/limits.ts";
import type { Reply } from "../wire/reply.ts";
import { logger } from "../log/logging.ts";
import type { Language, OpenLogin, Pop3Context } from "./context.ts";
import { Authorization, Transaction } from "./phases.ts";
import { type Greeted, greeting, timestamp } from "./greeting.ts";
import { BANNED, TOO_MANY_FROM_ADDRESS } from "./refusals.ts";
import { SessionTrace } from "./session_trace.ts";
import type { Pop3Services } from "./services.ts";
import { authorizationTable, transactionTable } from "./tables.ts";

const log = logger("pop3");

/** How long, in milliseconds, a client that is not logged in may leave an answer unread (pop3.md, `login_timeout`). */
const UNREAD_BEFORE_LOGIN_MS = 30_000;
/** The same once its time for logging in is over: long enough to take the answer that says so. */
const LATE_UNREAD_MS = 1000;

/** What an event calls a line whose keyword is not in the table. */
const UNKNOWN = "?";

/** Said to a client that always has one more command ready, which no timer of silence ends. */
const TOO_LATE: Reply = {
  kind: "error",
  text: "Login timeout",
  effect: "close",
  reason: "login-timeout",
};

/** A session over one connection. */
export class Pop3Session implements Dialogue, Pop3Context {
  readonly lineLimit = COMMAND_LINE_OCTETS;
  readonly services: Pop3Services;
  language: Language = "i-default";
  utf8 = false;
  #phase: Authorization | Transaction | {
    readonly name: "update";
    readonly transaction: Transaction;
  };
  #tls: TlsFacts | undefined;
  /** The command at work, for events. */
  #command = UNKNOWN;
  #work: AbortController | undefined;
  #sessionTrace: SessionTrace | undefined;
  /** Milliseconds that the command at work has waited. */
  #idle = 0;
  /** Whether the client has left, or the session was ended: nothing more is worked on. */
  #isLeft = false;
  readonly #loginDeadline: number;
  readonly timestamp: string;

  get reference(): string {
    return this.services.identity.session;
  }

  /** @param tls what was agreed before the greeting, on a port that is secure from the first octet */
  constructor(services: Pop3Services, tls: TlsFacts | undefined) {
    this.services = services;
    this.#tls = tls;
    this.#phase = new Authorization(this);
    const { connected, settings } = services;
    this.timestamp = timestamp(this.#greeted, settings);
    this.#loginDeadline = settings.loginTimeout === 0
      ? Infinity
      : connected.monotonic + settings.loginTimeout * 1000;
  }

  get #greeted(): Greeted {
    return { session: this.services.identity.session, at: this.services.connected.wall };
  }

  get maxBadCommands(): number {
    return this.services.settings.maxBadCommands;
  }

  get phase(): "authorization" | "transaction" | "update" {
    return this.#phase.name;
  }

  get secure(): boolean {
    return this.#tls !== undefined;
  }

  /** Before login the clock runs from the connection on, after it from line to line (RFC 1939, section 3). */
  get patience(): Patience {
    if (this.#phase.name === "authorization") {
      const left = this.#loginDeadline - this.services.clock.monotonic();
      // 0 would wait for ever.
      const read = left === Infinity ? 0 : Math.max(1, left);
      const write = Math.min(UNREAD_BEFORE_LOGIN_MS, Math.max(LATE_UNREAD_MS, left));
      return { read, silent: "login-timeout", write };
    }
    const idle = this.services.settings.timeout * 1000;
    return { read: idle, silent: "idle", write: idle };
  }

  async greet(): Promise<Reply> {
    const { loginService, identity, isOverLimit, settings } = this.services;
    const refusal = isOverLimit
      ? TOO_MANY_FROM_ADDRESS
      : await loginService.admit(identity) === "banned"
      ? BANNED
      : undefined;
    return refusal ?? { kind: "ok", text: greeting(this.#greeted, settings) };
  }

  obey(octets: Uint8Array): Reply | Promise<Reply> {
    if (this.services.loginService.traces === undefined) return this.#obey(octets);
    return this.#traced().obey(octets, () => this.#obey(octets));
  }

  /** Made when the first administrator asks for it. */
  #traced(): SessionTrace {
    return this.#sessionTrace ??= new SessionTrace(this);
  }

  /** The name that the client gave, or logged in with. */
  get claimedUser(): string | undefined {
    return this.#phase.name === "update" ? this.#phase.transaction.user : this.#phase.user;
  }

  #obey(octets: Uint8Array): Reply | Promise<Reply> {
    this.#command = UNKNOWN;
    this.#work = undefined;
    try {
      const line = readCommandLine(octets);
      if (this.#phase.name === "authorization") {
        if (this.services.clock.monotonic() > this.#loginDeadline) return TOO_LATE;
        return this.#run(authorizationTable, this.#phase, line);
      }
      if (this.#phase.name === "transaction") return this.#run(transactionTable, this.#phase, line);
      return { kind: "error", text: "Session closed" };
    } catch (error) {
      if (error instanceof SyntaxError) return { kind: "error", text: error.message, bad: true };
      throw error;
    }
  }

  refuseLongLine(): Reply {
    this.#command = UNKNOWN;
    return {
      kind: "error",
      text: `The line is longer than ${COMMAND_LINE_OCTETS} octets`,
      bad: true,
    };
  }

  idled(milliseconds: number): void {
    this.#idle += milliseconds;
  }

  answered(outcome: Outcome, milliseconds: number): void {
    const worked = Math.max(0, milliseconds - this.#idle);
    this.#idle = 0;
    const { loginService, identity } = this.services;
    loginService.observe({
      type: "command",
      session: identity.session,
      name: this.#command,
      outcome,
      milliseconds: worked,
    });
  }

  acknowledged(): void {
    if (this.#phase.name === "transaction") this.#phase.confirmSent();
  }

  wrote(octets: number, data?: Uint8Array): void {
    if (data !== undefined && this.services.loginService.traces !== undefined) {
      this.#traced().wrote(octets, data);
    }
    const { loginService, identity } = this.services;
    loginService.observe({ type: "sent", session: identity.session, octets });
  }

  secured(tls: TlsFacts): void {
    const { loginService, identity } = this.services;
    this.#tls = tls;
    // RFC 2595, section 4: what was learnt in clear is not believed any more. What failed was seen here.
    const failures = this.#phase.name === "authorization" ? this.#phase.failures : 0;
    this.#phase = new Authorization(this, failures);
    this.language = "i-default";
    this.utf8 = false;
    loginService.observe({
      type: "tls",
      session: identity.session,
      version: tls.version,
      ok: true,
    });
  }

  unsecured(reason: string | undefined): void {
    const { loginService, identity } = this.services;
    const { session } = identity;
    loginService.observe({ type: "tls", session, version: undefined, ok: false, reason });
  }

  hangUp(): void {
    this.#isLeft = true;
    this.#work?.abort();
  }

  async end(reason: CloseReason): Promise<void> {
    const { clock, loginService, identity } = this.services;
    this.hangUp();
    if (this.services.loginService.traces !== undefined) this.#traced().ended(reason);
    try {
      await (this.#phase.name === "update" ? this.#phase.transaction : this.#phase).close(reason);
    } finally {
      loginService.observe({
        type: "disconnected",
        session: identity.session,
        at: clock.wall(),
        reason,
      });
    }
  }

  commandCapabilities(): string[] {
    return [...authorizationTable.capabilities(this), ...transactionTable.capabilities(this)]
      .filter((line, index, all) => all.indexOf(line) === index);
  }

  enter(login: OpenLogin): string {
    const { user, mechanism, milliseconds } = login;
    const { clock, loginService, identity } = this.services;
    const transaction = new Transaction(this, login);
    const { count: messages, octets } = transaction;
    const { session } = identity;
    this.#phase = transaction;
    loginService.observe({
      type: "login",
      session,
      at: clock.wall(),
      user,
      mechanism,
      messages,
      octets,
      milliseconds,
    });
    return transaction.summary;
  }

  update(): void {
    if (this.#phase.name === "transaction") {
      this.#phase = { name: "update", transaction: this.#phase };
    }
  }

  workSignal(): AbortSignal {
    this.#work ??= new AbortController();
    if (this.#isLeft) this.#work.abort();
    return this.#work.signal;
  }

  #run<S>(
    table: CommandTable<S, Pop3Context>,
    phase: S,
    line: CommandLine,
  ): Reply | Promise<Reply> {
    const entry = table.find(line.keyword, this);
    if (entry === undefined) {
      const text = table.absence(line.keyword, this);
      return text === undefined ? this.#unknown(line.keyword) : { kind: "error", text, bad: true };
    }
    this.#command = entry.name;
    this.#trace(entry, line.rest);
    return entry.run(phase, line.rest);
  }

  /** Says why a keyword means nothing here; the keyword itself is not repeated (pop3.md, "Session"). */
  #unknown(keyword: string): Reply {
    const elsewhere = this.#phase.name === "authorization"
      ? transactionTable.find(keyword, this)
      : authorizationTable.find(keyword, this);
    if (elsewhere === undefined) return { kind: "error", text: "Unknown command", bad: true };
    this.#command = elsewhere.name;
    const text = this.#phase.name === "authorization"
      ? "Log in first"
      : "You are logged in already";
    return { kind: "error", text, bad: true };
  }

  #trace<S>(entry: Command<S, Pop3Context>, rest: string): void {
    if (!log.isEnabledFor("trace")) return;
    const shown = entry.secret === "all"
      ? "…"
      : entry.secret === "after-first"
      ? rest.replace(/ .*/s, " …")
      : rest;
    log.trace("{session}: {command} {arguments}", {
      session: this.services.identity.session,
      command: entry.name,
      arguments: shown,
    });
  }
}
