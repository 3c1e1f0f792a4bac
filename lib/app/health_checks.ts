/** Whether the server serves, found out by trying: the POP3 port, the session workers, the state, the mail folder, and the disks of both. */

import { dirname } from "node:path";
import type { Settings } from "../contracts/settings.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { fileErrorNumber, fileErrorReason } from "../files/file_error.ts";
import type { KeptRunningTime } from "./kept_running_time.ts";
import { probedAddress, probePop3 } from "./pop3_probe.ts";

/** Milliseconds that one check may take; an answer comes within five seconds. */
const LIMIT = 4000;
/** Octets of a file that is written to see whether the disk has room: one block of most file systems. */
const BLOCK = 4096;
/** Errors of a disk that has no room, or fails; a folder that is read-only or foreign can still be served. */
const DISK_ERRORS: ReadonlySet<number | undefined> = new Set([5, 28, 122]);

/** Milliseconds for which a database may be away before clients are to be sent elsewhere. */
const LONGEST_AWAY = 5000;

/** What is checked. */
export interface HealthCheckOptions {
  readonly settings: () => Settings;
  /** A POP3 port in clear; undefined where there is none. */
  readonly pop3: { readonly hostname: string; readonly port: number } | undefined;
  readonly supervisor: {
    readonly trouble: string | undefined;
    /** Resolves when every session worker has answered. */
    answered(): Promise<void>;
  };
  readonly running: Pick<KeptRunningTime, "keep">;
  /** How long the database of the state has been away, in milliseconds, where it is in one. */
  readonly database?: { readonly away: number | undefined } | undefined;
  /** Milliseconds that one check may take. @default {4000} */
  readonly limit?: number;
}

/** The checks behind the probes. Each is carried out once at a time, however many ask. */
export class HealthChecks {
  readonly #options: HealthCheckOptions;
  readonly #port: Check;
  readonly #workers: Check;
  readonly #state: Check;
  readonly #mail: Check;

  constructor(options: HealthCheckOptions) {
    this.#options = options;
    const { limit = LIMIT, settings, supervisor } = options;
    this.#port = new Check(limit, () => portTrouble(options), "The POP3 port does not answer");
    this.#workers = new Check(
      limit,
      () => supervisor.answered().then(() => undefined),
      "A session worker hangs",
    );
    this.#state = new Check(limit, () => stateTrouble(options), "The state does not answer");
    this.#mail = new Check(
      limit,
      () => mailTrouble(settings().maildir),
      "The mail folder does not answer: its disk or file server hangs",
    );
  }

  /** Whether the process serves at all. @returns why not, a sentence a reason */
  async health(): Promise<readonly string[]> {
    return this.#stopping ?? await reasons([this.#port, this.#workers]);
  }

  /** Whether clients should be sent here. @returns why not, a sentence a reason */
  async readiness(): Promise<readonly string[]> {
    return this.#stopping ?? await reasons([this.#workers, this.#state, this.#mail]);
  }

  get #stopping(): readonly string[] | undefined {
    const { trouble } = this.#options.supervisor;
    return trouble === undefined ? undefined : [trouble];
  }
}

/** One check: while it is under way it is not begun again, so that what hangs holds one file call and one connection. */
class Check {
  readonly #limit: number;
  readonly #look: () => Promise<string | undefined>;
  readonly #late: string;
  #looking: Promise<string | undefined> | undefined;

  constructor(limit: number, look: () => Promise<string | undefined>, late: string) {
    this.#limit = limit;
    this.#look = look;
    this.#late = late;
  }

  /** @returns what is wrong, as a sentence */
  async trouble(): Promise<string | undefined> {
    this.#looking ??= this.#look().finally(() => this.#looking = undefined);
    const late = Promise.withResolvers<string>();
    const timer = setTimeout(late.resolve, this.#limit, this.#late);
    try {
      return await Promise.race([this.#looking, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function reasons(checks: readonly Check[]): Promise<readonly string[]> {
  const troubles = await Promise.all(checks.map((check) => check.trouble()));
  return troubles.filter((trouble) => trouble !== undefined);
}

async function portTrouble({ pop3, settings }: HealthCheckOptions): Promise<string | undefined> {
  if (pop3 === undefined) return undefined;
  const place = { address: probedAddress(pop3.hostname), port: pop3.port };
  const outcome = await probePop3(place, settings().proxyProtocol);
  return outcome.ok ? undefined : outcome.message;
}

async function stateTrouble(
  { database, running, settings }: HealthCheckOptions,
): Promise<string | undefined> {
  const { state } = settings();
  const { away } = database ?? {};
  if (away !== undefined) {
    // A fail-over takes some seconds, and clients that are sent elsewhere meanwhile find the same.
    return away > LONGEST_AWAY ? "The database of the state is away" : undefined;
  }
  try {
    await running.keep();
  } catch (error) {
    if (error instanceof StateStoreError) {
      return database && error.trouble === "unreachable" ? undefined : error.message;
    }
    throw error;
  }
  if (database !== undefined) return undefined;
  return state === ":memory:" ? undefined : await diskTrouble(dirname(state), "state");
}

async function mailTrouble(maildir: string): Promise<string | undefined> {
  try {
    const { isDirectory } = await Deno.stat(maildir);
    if (!isDirectory) return `The mail folder ${maildir} is no folder`;
    // Entering it is what sessions do; what is in it does not matter.
    for await (const _ of Deno.readDir(maildir)) break;
  } catch (error) {
    return `The mail folder ${maildir} cannot be read: ${fileErrorReason(error)}`;
  }
  return await diskTrouble(maildir, "mail folder");
}

/** Writes a block and removes it; a full disk still lets old blocks be written again. */
async function diskTrouble(folder: string, what: string): Promise<string | undefined> {
  let path;
  try {
    path = await Deno.makeTempFile({ dir: folder, prefix: ".postern-probe-" });
    await Deno.writeFile(path, new Uint8Array(BLOCK));
  } catch (error) {
    if (!DISK_ERRORS.has(fileErrorNumber(error))) return undefined;
    return `The disk of the ${what} (${folder}) cannot be written: ${fileErrorReason(error)}`;
  } finally {
    if (path !== undefined) await Deno.remove(path).catch(() => undefined);
  }
  return undefined;
}
