/** Tells an administrator what a session's client says, and what it is answered; secrets are hidden. */

import { printable } from "../bytes/printable.ts";
import type { TraceTarget } from "../contracts/trace.ts";
import type { Line } from "../bytes/line_buffer.ts";
import { readCommandLine } from "../wire/command_table.ts";
import { negative, positive } from "../wire/first_line.ts";
import type { Reply } from "../wire/reply.ts";
import type { Pop3Services } from "./services.ts";
import { authorizationTable, transactionTable } from "./tables.ts";

/** Characters of a line that are told. */
const LONGEST = 400;
/** Lines of a list that are told one by one. */
const MOST_LISTED = 100;
/** Lines told in one event. */
const MOST_LINES = 500;

/** What a trace needs to know of its session. */
export interface TracedSession {
  readonly services: Pick<Pop3Services, "loginService" | "identity" | "clock">;
  /** The name that the client gave, or logged in with. */
  readonly claimedUser: string | undefined;
  /** Whether answers may hold parts of an exchange of secrets. */
  readonly phase: string;
}

/** One session's trace; made when the first administrator asks for one. */
export class SessionTrace {
  readonly #session: TracedSession;
  /** A line of which the end was not sent yet. */
  #partial = "";
  readonly #decoder = new TextDecoder();

  constructor(session: TracedSession) {
    this.#session = session;
  }

  /** Carries a line out, and tells it and its answer. */
  async obey(octets: Uint8Array, run: () => Reply | Promise<Reply>): Promise<Reply> {
    const said = `C: ${shownCommand(octets)}`;
    const before = this.#targets();
    this.#tell(before, [said]);
    const reply = await run();
    // By its own line the client may have become one who is looked for.
    const known = new Set(before);
    this.#tell(this.#targets().filter((target) => !known.has(target)), [said]);
    return this.#answered(reply, before);
  }

  /** Takes octets that were sent to the client. */
  wrote(octets: number, data: Uint8Array): void {
    const targets = this.#targets().filter(({ bodies }) => bodies);
    if (targets.length === 0) return;
    const text = this.#partial + this.#decoder.decode(data.subarray(0, octets), { stream: true });
    const lines = text.split("\n");
    this.#partial = lines.pop()!.slice(0, LONGEST);
    const isSecret = this.#session.phase === "authorization";
    for (let at = 0; at < lines.length; at += MOST_LINES) {
      this.#tell(
        targets,
        lines.slice(at, at + MOST_LINES).map((line) =>
          `S: ${isSecret && line.startsWith("+ ") ? "+ …" : line.replace(/\r$/, "")}`
        ),
      );
    }
  }

  /** Tells how the session ended. */
  ended(reason: string): void {
    this.#tell(this.#targets(), [`(ended: ${reason})`]);
  }

  /** Tells an answer; what comes later of it is told when it comes. @param before who looked on before the command */
  #answered(reply: Reply, before: readonly TraceTarget[] = []): Reply {
    const after = this.#targets();
    const all = [...after, ...before.filter((target) => !after.includes(target))];
    const targets = all.filter(({ bodies }) => !bodies);
    switch (reply.kind) {
      case "ok":
        this.#tell(targets, [`S: ${positive(reply.text)}`]);
        return reply;
      case "error":
        this.#tell(targets, [`S: ${negative(reply.text, reply.code)}`]);
        return reply;
      case "message":
        this.#tell(targets, [`S: ${positive(reply.text)}`, "S: (message, not shown)"]);
        return reply;
      case "challenge":
        this.#tell(targets, ["S: + …"]);
        return {
          ...reply,
          answer: async (line: Line) => {
            const isEnd = line !== "too-long" && line.length === 1 && line[0] === 0x2a;
            this.#tell(this.#targets(), [isEnd ? "C: *" : "C: …"]);
            return this.#answered(await reply.answer(line));
          },
        };
      case "list":
        this.#tell(targets, [`S: ${positive(reply.text)}`]);
        return targets.length === 0
          ? reply
          : { ...reply, lines: this.#listed(reply.lines, targets) };
      default:
        return reply;
    }
  }

  async *#listed(
    lines: Iterable<string> | AsyncIterable<string>,
    targets: readonly TraceTarget[],
  ): AsyncGenerator<string> {
    const shown: string[] = [];
    let count = 0;
    for await (const line of lines) {
      if (count++ < MOST_LISTED) shown.push(`S: ${line}`);
      yield line;
    }
    if (count > MOST_LISTED) shown.push(`S: (${count - MOST_LISTED} more lines)`);
    this.#tell(targets, [...shown, "S: ."]);
  }

  #targets(): readonly TraceTarget[] {
    const { services, claimedUser } = this.#session;
    return (services.loginService.traces ?? []).filter(({ kind, subject }) =>
      kind === "address" ? subject === services.identity.address : subject === claimedUser
    );
  }

  #tell(targets: readonly TraceTarget[], lines: readonly string[]): void {
    if (targets.length === 0) return;
    const { loginService, identity, clock } = this.#session.services;
    const time = new Date(clock.wall()).toISOString().slice(11, 23);
    loginService.observe({
      type: "traced",
      session: identity.session,
      targets: targets.map(({ id }) => id),
      lines: lines.map((line) => `${time} ${identity.session} ${printable(line, LONGEST)}`),
    });
  }
}

/** A command without what must not be seen. Of one that no table has, nothing is shown: it may be a password out of place. */
function shownCommand(octets: Uint8Array): string {
  let line;
  try {
    line = readCommandLine(octets);
  } catch (error) {
    if (error instanceof SyntaxError) return "(no command)";
    throw error;
  }
  const { keyword, rest } = line;
  const entry = authorizationTable.entry(keyword) ?? transactionTable.entry(keyword);
  if (entry === undefined) return "(unknown command)";
  const shown = entry.secret === "all"
    ? "…"
    : entry.secret === "after-first"
    ? rest.replace(/ .*/s, " …")
    : rest;
  return `${entry.name} ${shown}`.trimEnd();
}
