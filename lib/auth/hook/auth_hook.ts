/** Asks an authentication hook (`--auth-hook`): one question a login, with a time limit, remembered for a while. */

import { createHmac, randomBytes } from "node:crypto";
import { Semaphore } from "../../async/semaphore.ts";
import type { NameRules } from "../../bytes/canonical_name.ts";
import { UserDirectoryError } from "../../contracts/user_directory.ts";
import { logger } from "../../log/logging.ts";
import {
  HookAnswerError,
  type HookQuestion,
  type HookVerdict,
  readVerdict,
} from "./hook_protocol.ts";
import type { HookTransport } from "./hook_transport.ts";

const log = logger("hook");

/** Answers that are remembered; the oldest go first. */
const MOST_REMEMBERED = 100_000;

/** How a hook is asked. */
export interface AuthHookOptions {
  readonly transport: HookTransport;
  readonly rules: NameRules;
  /** Milliseconds that an answer may take. */
  readonly timeout: number;
  /** Milliseconds that a good answer is remembered; 0 for not at all. */
  readonly remember: number;
  /** Milliseconds; never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/** A hook. Disposing lets go of its connections. */
export class AuthHook implements Disposable {
  readonly #options: AuthHookOptions;
  readonly #turns: Semaphore;
  readonly #key = randomBytes(32);
  /** Good answers by the whole question, hashed: no password is kept. */
  readonly #remembered = new Map<
    string,
    { readonly verdict: HookVerdict; readonly until: number }
  >();

  constructor(options: AuthHookOptions) {
    this.#options = options;
    this.#turns = new Semaphore(options.transport.atOnce);
  }

  /**
   * Asks.
   *
   * @throws {UserDirectoryError} when there is no answer in time, or none that can be understood
   */
  async ask(question: HookQuestion): Promise<HookVerdict> {
    const { now = () => performance.now(), remember, rules, timeout, transport } = this.#options;
    const text = JSON.stringify(question);
    const key = remember > 0 ? createHmac("sha256", this.#key).update(text).digest("base64") : "";
    const known = this.#remembered.get(key);
    if (known !== undefined && known.until > now()) return known.verdict;
    const signal = AbortSignal.timeout(timeout);
    let verdict: HookVerdict;
    try {
      using _turn = await this.#turns.enter(signal);
      verdict = readVerdict(await transport.ask(text, signal), question, rules);
    } catch (error) {
      const why = signal.aborted
        ? `it did not answer within ${timeout / 1000} seconds`
        : error instanceof HookAnswerError
        ? `its answer cannot be used: ${error.message}`
        : error instanceof Error
        ? error.message
        : String(error);
      throw new UserDirectoryError(`The authentication hook failed: ${why}`, { cause: error });
    }
    if (!verdict.ok) {
      log.debug("The hook refused {user}: {reason}", {
        user: question.user,
        reason: verdict.reason ?? "without a reason",
      });
    } else if (remember > 0) this.#keep(key, verdict, now() + remember);
    return verdict;
  }

  [Symbol.dispose](): void {
    this.#options.transport[Symbol.dispose]();
  }

  #keep(key: string, verdict: HookVerdict, until: number): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { verdict, until });
    if (this.#remembered.size <= MOST_REMEMBERED) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
}
