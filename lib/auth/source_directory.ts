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
  type BearerVerifier,
  type UserDirectory,
  UserDirectoryError,
  type Verified,
} from "../contracts/user_directory.ts";
import type {
  ForeignHash,
  FoundUser,
  Salting,
  ScramKeys,
  UserSource,
} from "../contracts/user_source.ts";
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
}

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

  async verify(credentials: Credentials, from = ""): Promise<Verified | undefined> {
    const found = await this.#verify(credentials, from);
    if (found !== undefined) await this.#learner.retry();
    return found;
  }

  async #verify(credentials: Credentials, from: string): Promise<Verified | undefined> {
    if (credentials.kind === "bearer") return await this.#verifyBearer(credentials);
    const name = canonicalName(credentials.user, this.#rules);
    if (credentials.kind === "password" && this.#remembers(name, credentials.password)) {
      return { user: name };
    }
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

  /** Whether a password was right lately, by what is at hand; for everyone who is refused, this is the same work for nothing. */
  #remembers(name: string, password: string): boolean {
    let user: FoundUser | undefined;
    for (const source of this.#sources) user ??= source.recall?.(name);
    return user === undefined
      ? this.#cache.knows("", "", password)
      : this.#cache.knows(user.name, user.revision, password);
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
    if (this.#cache.knows(user.name, user.revision, password)) return source && right;
    // Compared for those who have no password in clear, too, since it takes its time.
    const same = this.#cache.sameText(user.clear ?? "", password);
    if (same && user.clear !== undefined) return right;
    const derived = await this.#work.derive(password, user);
    let fits = false;
    for (const keys of user.keys) {
      if (sameKey(keys.storedKey, derived.storedKey)) fits = true;
    }
    if (!fits) {
      const own = user.foreign;
      const costliest = this.#costliest ?? own;
      const check = costliest && { password, own, costliest, from, user: user.name };
      const right = check && await this.#foreign.verify(check);
      if (!right || !own || !source) return undefined;
      await this.#learner.learn(source, user, derived);
    }
    if (!source) return undefined;
    this.#cache.remember(user.name, user.revision, password);
    return right;
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
    let keys: readonly ScramKeys[] = user.keys;
    if (source && user.clear !== undefined && keys.length === 0) {
      const derived = await this.#work.derive(user.clear, user);
      await this.#learner.learn(source, user, derived);
      keys = [derived];
    }
    const serverSignature = checkProof(keys, authMessage, proof);
    return source && serverSignature && { ...verified(user), serverSignature };
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
