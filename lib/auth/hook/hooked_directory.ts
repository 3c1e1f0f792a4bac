/** The user directory with a hook behind it: whom state and passwd-file do not know, the hook is asked for. */

import { canonicalName, type NameRules } from "../../bytes/canonical_name.ts";
import type { Credentials, ScramParameters } from "../../contracts/login_service.ts";
import type { Asker, UserDirectory, Verified } from "../../contracts/user_directory.ts";
import type { AppPasswordUse, FoundUser } from "../../contracts/user_source.ts";
import type { SourceDirectory } from "../source_directory.ts";
import type { AuthHook } from "./auth_hook.ts";
import type { HookVerdict } from "./hook_protocol.ts";

/** A directory of sources, and a hook. */
export class HookedDirectory implements UserDirectory {
  readonly #directory: SourceDirectory;
  readonly #hook: AuthHook;
  readonly #rules: NameRules;

  constructor(directory: SourceDirectory, hook: AuthHook, rules: NameRules) {
    this.#directory = directory;
    this.#hook = hook;
    this.#rules = rules;
  }

  /** Whom only the hook knows has no keys. */
  get scramForAll(): boolean {
    return false;
  }

  scramParameters(user: string): Promise<ScramParameters> {
    return this.#directory.scramParameters(user);
  }

  /**
   * Finds a user, for who delivers or looks after mail; the hook is asked without a password.
   *
   * @param name as it was written
   * @throws {UserDirectoryError} when it could not be found out
   */
  async find(
    name: string,
  ): Promise<Pick<FoundUser, "name" | "record" | "disabled"> | undefined> {
    const found = await this.#directory.find(name);
    if (found !== undefined) return found;
    const user = canonicalName(name, this.#rules);
    const lookUp = { user, password: null, address: null, tls: false, mechanism: null };
    const verified = verifiedBy(await this.#hook.ask(lookUp));
    if (verified === undefined) return undefined;
    const { user: known, record } = verified;
    return { name: known, ...record !== undefined && { record } };
  }

  async verify(credentials: Credentials, asker?: Asker): Promise<Verified | undefined> {
    const { kind, user = "" } = credentials;
    if (kind !== "password" || await this.#directory.find(user) !== undefined) {
      return await this.#directory.verify(credentials, asker);
    }
    const { password, mechanism } = credentials;
    const { address = null, tls = false } = asker ?? {};
    return verifiedBy(await this.#hook.ask({ user, password, address, tls, mechanism }));
  }

  used(verified: Verified, use: AppPasswordUse): Promise<void> {
    return this.#directory.used(verified, use);
  }
}

function verifiedBy(verdict: HookVerdict): Verified | undefined {
  if (!verdict.ok) return undefined;
  const { user, record } = verdict;
  return { user, ...record !== undefined && { record } };
}
