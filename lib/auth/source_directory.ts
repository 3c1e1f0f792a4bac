/** The user directory over sources of secrets: the first source that knows a name decides. */

import { createHash, createHmac } from "node:crypto";
import { canonicalName, type NameRules } from "../bytes/canonical_name.ts";
import { ForeignHashes } from "./foreign_hashes/foreign_hashes.ts";
import { costOf } from "./foreign_hashes/hash_cost.ts";
import type { Credentials, ScramParameters } from "../contracts/login_service.ts";
import { KeyLearner } from "./key_learner.ts";
import { PasswordWork } from "./password_work.ts";
import { checkProof, DEFAULT_ITERATIONS, KEY_OCTETS, SALT_OCTETS, sameKey } from "./scram_keys.ts";
import {
  type Asker,
  type BearerVerifier,
  type UserDirectory,
  UserDirectoryError,
  type Verified,
} from "../contracts/user_directory.ts";
import type {
  AppPasswordUse,
  ForeignHash,
  FoundUser,
  Salting,
  UserKeys,
  UserSource,
} from "../contracts/user_source.ts";
import { isGoodFor } from "./app_password_terms.ts";
import { VerificationCache } from "./verification_cache.ts";

/** What a directory works with. */
export interface SourceDirectoryOptions extends NameRules {
  /** In order: the first that knows a name decides. */
  readonly sources: readonly UserSource[];
  /** The installation's secret: keys the salts that are made up for unknown names. */
  readonly secret: Uint8Array;
  /**
   * The iteration count of this server's own keys, told for unknown names too.
   *
   * @default {4096}
   */
  readonly iterations?: number;
  /** Checks bearer tokens; without it, none is good. */
  readonly bearer?: BearerVerifier | undefined;
  /** What is shared with others who check passwords. */
  readonly work?: PasswordWork;
  readonly foreign?: ForeignHashes;
  readonly cache?: VerificationCache;
  /** Keeps what good logins teach. */
  readonly learner?: KeyLearner;
  /** Milliseconds since 1970: app passwords end. @default {Date.now} */
  readonly now?: () => number;
}

/** Where nobody in particular asks. */
const SOMEBODY: Asker = { from: "", address: "" };

/** The salting of a name that has none of its own: steady, and not to be told from a real one. */
export function madeUpSalting(secret: Uint8Array, name: string, iterations: number): Salting {
  const salt = createHmac("sha256", secret).update(`salt\n${name}`).digest();
  return { salt: new Uint8Array(salt.subarray(0, SALT_OCTETS)), iterations };
}

/** Checks credentials against sources. */
export class SourceDirectory implements UserDirectory {
  readonly #sources: readonly UserSource[];
  readonly #secret: Uint8Array;
  readonly #rules: NameRules;
  readonly #iterations: number;
  readonly #bearer: BearerVerifier | undefined;
  readonly #work: PasswordWork;
  readonly #foreign: ForeignHashes;
  readonly #cache: VerificationCache;
  readonly #learner: KeyLearner;
  readonly #now: () => number;

  /** Makes a directory; it holds nothing that must be closed. */
  constructor(options: SourceDirectoryOptions) {
    this.#sources = options.sources;
    this.#secret = options.secret;
    this.#rules = options;
    this.#iterations = options.iterations ?? DEFAULT_ITERATIONS;
    this.#bearer = options.bearer;
    this.#work = options.work ?? new PasswordWork();
    this.#foreign = options.foreign ?? new ForeignHashes();
    this.#cache = options.cache ?? new VerificationCache();
    this.#learner = options.learner ?? new KeyLearner();
    this.#now = options.now ?? Date.now;
  }

  /** Whether SCRAM works for everyone in every source. */
  get scramForAll(): boolean {
    return this.#sources.every((source) => source.costliestForeign === undefined);
  }

  async scramParameters(user: string): Promise<ScramParameters> {
    const name = canonicalName(user, this.#rules);
    const { user: found } = await this.#find(name);
    return { salt: found.salt, iterations: found.iterations };
  }

  /**
   * Finds a user of one of the sources, for who delivers or looks after mail.
   *
   * @param name as it was written
   * @throws {UserDirectoryError} when it could not be found out
   */
  async find(name: string): Promise<FoundUser | undefined> {
    const { user, source } = await this.#find(canonicalName(name, this.#rules));
    return source && user;
  }

  async verify(
    credentials: Credentials,
    { from, address }: Asker = SOMEBODY,
  ): Promise<Verified | undefined> {
    const verified = await this.#verify(credentials, from);
    if (verified === undefined) return undefined;
    await this.#learner.retry();
    const { appPassword } = verified;
    if (appPassword === undefined || isGoodFor(appPassword, address, this.#now())) return verified;
    return undefined;
  }

  async used({ user, appPassword }: Verified, use: AppPasswordUse): Promise<void> {
    if (appPassword === undefined) return;
    for (const source of this.#sources) await source.used?.(user, appPassword.label, use);
  }

  async #verify(credentials: Credentials, from: string): Promise<Verified | undefined> {
    if (credentials.kind === "bearer") return await this.#verifyBearer(credentials);
    const name = canonicalName(credentials.user, this.#rules);
    const remembered = credentials.kind === "password"
      ? this.#remembered(name, credentials.password)
      : undefined;
    if (remembered !== undefined) return remembered;
    const found = await this.#find(name);
    switch (credentials.kind) {
      case "password":
        return await this.#verifyPassword(found, credentials.password, from);
      case "apop":
        return this.#verifyApop(found, credentials);
      case "scram":
        return await this.#verifyProof(found, credentials);
    }
  }

  /** Who had this password right lately, by what is at hand; for everyone who is refused, this is the same work for nothing. */
  #remembered(name: string, password: string): Verified | undefined {
    let user: FoundUser | undefined;
    for (const source of this.#sources) user ??= source.recall?.(name);
    const label = user === undefined
      ? this.#cache.knows("", "", password)
      : this.#cache.knows(user.name, user.revision, password);
    return user === undefined || label === undefined ? undefined : byLabel(user, label);
  }

  /**
   * Finds a user; one whom nobody knows has secrets that nothing fits, so that all the same work is done on them. For the same
   * reason every source is asked, and a salting made up, for those who are known, too.
   */
  async #find(name: string): Promise<Found> {
    let found: Found | undefined;
    for (const source of this.#sources) {
      const user = await source.find(name).catch(unavailable);
      if (user) found ??= { user, source };
    }
    const key = new Uint8Array(KEY_OCTETS);
    const salting = madeUpSalting(this.#secret, name, this.#iterations);
    return found ??
      { user: { name, revision: "", ...salting, keys: [{ storedKey: key, serverKey: key }] } };
  }

  async #verifyPassword(
    { user, source }: Found,
    password: string,
    from: string,
  ): Promise<Verified | undefined> {
    const right = verified(user);
    const known = this.#cache.knows(user.name, user.revision, password);
    if (known !== undefined) return source && byLabel(user, known);
    // Compared for those who have no password in clear, too, since it takes its time.
    const same = this.#cache.sameText(user.clear ?? "", password);
    if (same && user.clear !== undefined) return right;
    const derived = await this.#work.derive(password, user);
    let fitting: UserKeys | undefined;
    for (const keys of user.keys) {
      if (sameKey(keys.storedKey, derived.storedKey)) fitting ??= keys;
    }
    if (fitting === undefined) {
      const own = user.foreign;
      const costliest = this.#costliest ?? own;
      const check = costliest && { password, own, costliest, from, user: user.name };
      const right = check && await this.#foreign.verify(check);
      if (!right || !own || !source) return undefined;
      await this.#learner.learn(source, user, derived);
    }
    if (!source) return undefined;
    this.#cache.remember(user.name, user.revision, password, fitting?.app?.label);
    return verifiedBy(user, fitting);
  }

  /** While some users have foreign hashes, every refusal costs checking one, so that time does not tell who they are. */
  get #costliest(): ForeignHash | undefined {
    const all = this.#sources.flatMap(({ costliestForeign }) => costliestForeign ?? []);
    return all.toSorted((one, other) => costOf(other).milliseconds - costOf(one).milliseconds)[0];
  }

  /** RFC 1939, section 7; only for users whose password stands in clear. */
  #verifyApop({ user }: Found, { timestamp, digest }: Apop): Verified | undefined {
    const expected = createHash("md5").update(timestamp + (user.clear ?? "")).digest("hex");
    const same = this.#cache.sameText(expected, digest.toLowerCase());
    return same && user.clear !== undefined ? verified(user) : undefined;
  }

  async #verifyProof(
    { user, source }: Found,
    { authMessage, proof }: Scram,
  ): Promise<Verified | undefined> {
    let keys: readonly UserKeys[] = user.keys;
    if (source && user.clear !== undefined && keys.length === 0) {
      const derived = await this.#work.derive(user.clear, user);
      await this.#learner.learn(source, user, derived);
      keys = [derived];
    }
    const fit = checkProof(keys, authMessage, proof);
    if (source === undefined || fit === undefined) return undefined;
    return { ...verifiedBy(user, fit.keys), serverSignature: fit.serverSignature };
  }

  /** A good token is not enough: the user must be one of ours, so that a deleted user stays out. */
  async #verifyBearer({ token, user: claimed }: Bearer): Promise<Verified | undefined> {
    const named = await this.#bearer?.(token, claimed);
    if (named === undefined) return undefined;
    const { user, source } = await this.#find(canonicalName(named, this.#rules));
    return source && verified(user);
  }
}

function verified({ name, record, disabled }: FoundUser): Verified {
  return {
    user: name,
    ...record !== undefined && { record },
    ...disabled === true && { disabled },
  };
}

/** A user whose secret with these keys was right. */
function verifiedBy(user: FoundUser, keys: UserKeys | undefined): Verified {
  return { ...verified(user), ...keys?.app !== undefined && { appPassword: keys.app } };
}

/** A user whose remembered secret is the app password with this label; the empty label is the user's own password. */
function byLabel(user: FoundUser, label: string): Verified {
  return verifiedBy(
    user,
    label === "" ? undefined : user.keys.find(({ app }) => app?.label === label),
  );
}

function unavailable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new UserDirectoryError(`Users cannot be looked up: ${reason}`, { cause: error });
}

interface Found {
  readonly user: FoundUser;
  readonly source?: UserSource;
}
type Apop = Extract<Credentials, { kind: "apop" }>;
type Scram = Extract<Credentials, { kind: "scram" }>;
type Bearer = Extract<Credentials, { kind: "bearer" }>;
