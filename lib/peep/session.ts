/** A PEEP connection's dialogue: one login, short commands, one answer each (docs/peep.md). */

import { printable } from "../bytes/printable.ts";
import type { CloseReason } from "../contracts/event.ts";
import { ManagementError } from "../contracts/management.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { logger } from "../log/logging.ts";
import type { MsmpServices } from "../msmp/services.ts";
import type { Dialogue, Patience } from "../wire/dialogue.ts";
import type { Reply } from "../wire/reply.ts";
import { CAPABILITIES, COMMANDS, ERRORS, type PeepAnswer, type PeepError } from "./commands.ts";

const log = logger("peep");

/** A command with two arguments of 128 characters (section 2.1), its CRLF included. */
const LINE_OCTETS = 268;
/** How long, in milliseconds, a client may leave an answer unread. */
const UNREAD_MS = 30_000;
/** Wrong passwords after which a connection ends. */
const MAX_FAILURES = 4;
/** Characters of a line of an answer (section 2.2), without CRLF and sign. */
const LONGEST_LINE = 500;

/** What a connection is given to work with. */
export type PeepServices = Pick<
  MsmpServices,
  | "management"
  | "settings"
  | "address"
  | "isOverLimit"
  | "clearAllowed"
  | "audit"
  | "clock"
  | "keepSlot"
  | "penalty"
  | "ended"
>;

/** One connection. */
export class PeepSession implements Dialogue {
  readonly lineLimit = LINE_OCTETS;
  /** Counted here: every answer is a line of PEEP's own. */
  readonly maxBadCommands = 0;
  readonly #services: PeepServices;
  readonly #gone = new AbortController();
  readonly #loginDeadline: number;
  #administrator: string | undefined;
  #failures = 0;
  #badCommands = 0;

  constructor(services: PeepServices) {
    this.#services = services;
    const { clock, settings } = services;
    this.#loginDeadline = clock.monotonic() + settings.loginTimeout * 1000;
  }

  get patience(): Patience {
    const { clock, settings } = this.#services;
    if (this.#administrator !== undefined) {
      return { read: settings.adminTimeout * 1000, silent: "idle", write: UNREAD_MS };
    }
    const left = Math.max(1, this.#loginDeadline - clock.monotonic());
    return { read: left, silent: "login-timeout", write: UNREAD_MS };
  }

  /** PEEP greets nobody: the client speaks first. Who may not come is closed on. */
  greet(): Reply {
    const { management, address, isOverLimit } = this.#services;
    const isRefused = isOverLimit || management.administrators.banned(address);
    return isRefused ? failed(ERRORS.credentials, "close") : { kind: "lines", lines: [] };
  }

  async obey(octets: Uint8Array): Promise<Reply> {
    try {
      return await this.#obey(new TextDecoder("utf-8", { fatal: true }).decode(octets));
    } catch (error) {
      // Not UTF-8.
      if (error instanceof TypeError && error.name === "TypeError") {
        return this.#bad(ERRORS.unknown);
      }
      throw error;
    }
  }

  refuseLongLine(): Reply {
    return this.#bad(ERRORS.syntax);
  }

  answered(): void {}
  wrote(): void {}
  secured(): void {}
  unsecured(): void {}

  hangUp(): void {
    this.#gone.abort();
  }

  end(reason: CloseReason): Promise<void> {
    this.hangUp();
    this.#services.ended(reason);
    return Promise.resolve();
  }

  async #obey(line: string): Promise<Reply> {
    const [name = "", ...args] = line.split(" ");
    if (name === "q") return { kind: "lines", lines: ["+"], effect: "close" };
    if (name === "cap?") return shown({ lines: CAPABILITIES });
    const isEmpty = args.some((argument) => argument === "");
    if (this.#administrator === undefined) {
      if (name !== "a") return this.#bad(ERRORS.unknown);
      if (isEmpty || args.length < 2) return this.#bad(ERRORS.syntax);
      return await this.#logIn(args[0]!, args[1]!);
    }
    const command = COMMANDS.find((each) => each.name === name);
    if (command === undefined) return this.#bad(ERRORS.unknown);
    if (isEmpty || args.length < command.arguments) return this.#bad(ERRORS.syntax);
    this.#badCommands = 0;
    const { management, audit, address } = this.#services;
    const administrator = this.#administrator;
    try {
      return shown(
        await command.run({
          management,
          audit: (entry) => audit({ administrator, address, ...entry }),
        }, args),
      );
    } catch (error) {
      if (!(error instanceof ManagementError) && !(error instanceof StateStoreError)) throw error;
      // PEEP has no number for it; the log has the sentence.
      log.error("{command} of {administrator} failed: {error}", {
        command: name,
        administrator,
        error,
      });
      return failed(ERRORS.unknown);
    }
  }

  async #logIn(name: string, password: string): Promise<Reply> {
    const { address, clearAllowed, keepSlot, management, penalty } = this.#services;
    // There is no TLS here: where passwords must not come in clear, none is right.
    if (!clearAllowed) return failed(ERRORS.credentials);
    const gone = this.#gone.signal;
    const outcome = await management.administrators.verify({ name, password, address }, gone);
    if (outcome.kind === "granted") {
      if (!await keepSlot(gone)) return failed(ERRORS.credentials, "close");
      this.#administrator = outcome.administrator;
      log.info("Administrator {administrator} logged in from {address}", {
        administrator: outcome.administrator,
        address,
      });
      return shown({});
    }
    const inTime = await penalty(outcome.delay, gone);
    const isLast = ++this.#failures >= MAX_FAILURES || !inTime;
    return failed(ERRORS.credentials, isLast ? "close" : undefined);
  }

  /** A command that is none; one too many in a row ends the connection. */
  #bad(error: PeepError): Reply {
    const most = this.#services.settings.maxBadCommands;
    const isLast = ++this.#badCommands >= most && most > 0;
    return failed(error, isLast ? "close" : undefined);
  }
}

function failed(error: PeepError, effect?: "close"): Reply {
  return { kind: "lines", lines: [`-${error}`], ...effect !== undefined && { effect } };
}

function shown(answer: PeepAnswer): Reply {
  if ("error" in answer) return failed(answer.error);
  if ("lines" in answer) {
    const lines = answer.lines.map((line) => printable(line, LONGEST_LINE));
    return { kind: "lines", lines: [`+${lines.length}`, ...lines] };
  }
  return { kind: "lines", lines: [`+${printable(String(answer.value ?? ""), LONGEST_LINE)}`] };
}
