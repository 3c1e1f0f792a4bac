/** Users of a passwd-file (`--users FILE`), read whole and again on demand. */

import { fileErrorReason } from "../../files/file_error.ts";
import { createHash } from "node:crypto";
import { canonicalName, type NameRules } from "../../bytes/canonical_name.ts";
import { byOctets } from "../../bytes/octet_order.ts";
import { passwdEntries, type PasswdEntry, type RefusedLine } from "./passwd_entry.ts";
import { DEFAULT_ITERATIONS } from "../scram_keys.ts";
import { UnlearnedHashes } from "../foreign_hashes/unlearned_hashes.ts";
import { madeUpSalting } from "../source_directory.ts";
import type {
  ForeignHash,
  FoundUser,
  LearnedKeysStore,
  Salting,
  ScramKeys,
  UserSource,
} from "../../contracts/user_source.ts";

/** What a passwd-file is read with. */
export interface PasswdFileOptions extends NameRules {
  readonly path: string;
  /** The installation's secret: salts of users whose line has none are made from it. */
  readonly secret: Uint8Array;
  /** Keeps what good logins taught about foreign hashes; without it they are learned anew after each start. */
  readonly learned?: LearnedKeysStore | undefined;
  /** @default {4096} */
  readonly iterations?: number;
  /** Told of the lines that cannot be taken, each time the file is read; the rest serve. */
  readonly onRefused?: (lines: readonly RefusedLine[]) => void;
}

/** What a file says at one time. */
interface Contents {
  readonly users: ReadonlyMap<string, PasswdEntry>;
  /** By name; as long as the file's line is the one they were learned for. */
  readonly learned: Map<string, ScramKeys & Salting>;
  /** Foreign hashes whose keys are not learned yet, by name. */
  readonly unlearned: UnlearnedHashes;
  /** Names whose learned keys the store does not have yet. */
  readonly unkept: Set<string>;
  /** By name, those that somebody asked for. */
  readonly revisions: Map<string, string>;
  /** The users' names in order, once somebody asked. */
  sorted?: readonly string[];
}

/** The users of a passwd-file. */
export class PasswdFile implements UserSource {
  readonly #options: PasswdFileOptions;
  #contents: Contents = {
    users: new Map(),
    learned: new Map(),
    unlearned: new UnlearnedHashes(),
    unkept: new Set(),
    revisions: new Map(),
  };

  private constructor(options: PasswdFileOptions) {
    this.#options = options;
  }

  /**
   * Reads a passwd-file. Of a name that stands in it twice the first line counts.
   *
   * @throws {SyntaxError} when it is not valid UTF-8; read again, when no line of it can be taken any more
   * @throws {Error} when the file cannot be read, saying so
   */
  static async read(options: PasswdFileOptions): Promise<PasswdFile> {
    const file = new PasswdFile(options);
    await file.reread();
    return file;
  }

  /** The file's name. */
  get path(): string {
    return this.#options.path;
  }

  /** How many users the file has. */
  get count(): number {
    return this.#contents.users.size;
  }

  /** See {@linkcode UserSource.costliestForeign}. */
  get costliestForeign(): ForeignHash | undefined {
    return this.#contents.unlearned.costliest;
  }

  /** Reads the file again. When that fails, what was read before stays in force. Throws as {@linkcode PasswdFile.read} does. */
  async reread(): Promise<void> {
    const { path, learned: store, onRefused } = this.#options;
    const users = new Map<string, PasswdEntry>();
    const refused: RefusedLine[] = [];
    const take = (line: RefusedLine): void => void refused.push(line);
    for (const { line, ...entry } of passwdEntries(await readText(path), path, take)) {
      const name = canonicalName(entry.name, this.#options);
      if (users.has(name)) take(`${path}, line ${line}: duplicate user ${name}`);
      else users.set(name, entry);
    }
    const isSpoilt = users.size === 0 && refused[0] !== undefined;
    // One that had users is being written, or was spoilt; a first start serves the users whom others know.
    if (isSpoilt && this.#contents.users.size > 0) throw new SyntaxError(refused[0]);
    if (refused.length > 0) onRefused?.(refused);
    const learned = new Map<string, ScramKeys & Salting>();
    for await (const keys of store?.list() ?? []) {
      const entry = users.get(keys.name);
      if (entry && fingerprint(entry) === keys.fingerprint) learned.set(keys.name, keys);
    }
    const unlearned = new UnlearnedHashes();
    for (const [name, { secret }] of users) {
      if (secret.kind === "foreign" && !learned.has(name)) unlearned.set(name, secret.hash);
    }
    this.#contents = {
      users,
      learned,
      unlearned,
      unkept: new Set(),
      revisions: new Map(),
    };
  }

  /** Whether the file has this user. */
  has(name: string): boolean {
    return this.#contents.users.has(name);
  }

  /** The users' names in the order of their UTF-8 octets. */
  names(): readonly string[] {
    return this.#contents.sorted ??= [...this.#contents.users.keys()].sort(byOctets);
  }

  find(name: string): Promise<FoundUser | undefined> {
    const entry = this.#contents.users.get(name);
    return Promise.resolve(entry && this.#found(name, entry));
  }

  #found(name: string, entry: PasswdEntry): FoundUser {
    const { secret: installation, iterations = DEFAULT_ITERATIONS } = this.#options;
    const { secret } = entry;
    const known = secret.kind === "keys" ? secret.keys : this.#contents.learned.get(name);
    return {
      name,
      revision: this.#revision(name, entry),
      // Made up only for whoever asks: most logins are checked without it.
      get salt(): Uint8Array {
        return known?.salt ?? madeUpSalting(installation, name, iterations).salt;
      },
      iterations: known?.iterations ?? iterations,
      keys: known ? [known] : [],
      ...secret.kind === "clear" && { clear: secret.password },
      ...secret.kind === "foreign" && known === undefined && { foreign: secret.hash },
      ...entry.record !== undefined && { record: entry.record },
      ...entry.disabled === true && { disabled: true },
    };
  }

  /** The line's fingerprint, computed when first asked for. */
  #revision(name: string, entry: PasswdEntry): string {
    const { revisions } = this.#contents;
    let revision = revisions.get(name);
    if (!revision) revisions.set(name, revision = `file ${fingerprint(entry)}`);
    return revision;
  }

  /** See {@linkcode UserSource.learn}; keys for a clear password are kept in memory only. */
  async learn(user: FoundUser, keys: ScramKeys): Promise<void> {
    const contents = this.#contents;
    const { name, salt, iterations } = user;
    const entry = contents.users.get(name);
    // Learned is not kept: a store that failed is asked again.
    if (!entry || (contents.learned.has(name) && !contents.unkept.has(name))) return;
    const print = fingerprint(entry);
    if (user.revision !== `file ${print}`) return;
    contents.learned.set(name, { ...keys, salt, iterations });
    if (entry.secret.kind !== "foreign") return;
    contents.unlearned.delete(name);
    contents.unkept.add(name);
    await this.#options.learned?.put({ ...keys, name, fingerprint: print, salt, iterations });
    contents.unkept.delete(name);
  }
}

function fingerprint(entry: PasswdEntry): string {
  return createHash("sha256").update(entry.field).digest("hex");
}

async function readText(path: string): Promise<string> {
  const octets = await Deno.readFile(path).catch((error: unknown) => {
    throw new Error(`The users file ${path} cannot be read: ${fileErrorReason(error)}`, {
      cause: error,
    });
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch (cause) {
    throw new SyntaxError(`${path}: the file is not valid UTF-8`, { cause });
  }
}
