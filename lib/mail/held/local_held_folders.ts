/** Works in held folders from a thread that may run programs: one short-lived program a request. */

import type { Turns } from "../../async/semaphore.ts";
import { printable } from "../../bytes/printable.ts";
import { type HeldFolders, HelperError } from "../../contracts/held_folders.ts";
import { HELD_FOLDER_SCRIPT } from "./held_folder_script.ts";
import { noHelper } from "./no_helper.ts";

/** Milliseconds that a program may take: a file server that does not answer is given up. */
const TIMEOUT_MS = 30_000;

/** Where held folders lie, and what works in them. */
export interface LocalHeldFoldersOptions {
  /** The mail folder. */
  readonly root: string;
  /** Other folders below which mailboxes lie. */
  readonly homes?: readonly string[];
  /** Finds Perl: an absolute path, or undefined when there is none. */
  readonly perl: () => Promise<string | undefined>;
  /** How many may work at once; each keeps a processor busy for some milliseconds. */
  readonly turns: Turns;
}

/** {@linkcode HeldFolders} of this process. */
export class LocalHeldFolders implements HeldFolders {
  readonly #options: LocalHeldFoldersOptions;

  constructor(options: LocalHeldFoldersOptions) {
    this.#options = options;
  }

  async run(
    request: Uint8Array<ArrayBuffer>,
    root: string = this.#options.root,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { homes = [] } = this.#options;
    // Whoever asks may only name a folder that mailboxes lie below.
    if (root !== this.#options.root && !homes.includes(root)) {
      throw new HelperError("A request names another folder than those of mailboxes");
    }
    const perl = await this.#options.perl();
    if (perl === undefined) throw noHelper();
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const { code, stdout, stderr } = await this.#work({ perl, root, request, signal });
      if (code === 0) return stdout;
      const said = printable(new TextDecoder().decode(stderr).trim(), 200);
      throw new HelperError(`The helper for held folders ended with ${code}: ${said}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw noHelper();
      if (!signal.aborted) throw error;
      throw new HelperError(`The mail folder did not answer within ${TIMEOUT_MS / 1000} seconds`);
    }
  }

  /** A program that the system does not let end, since a file server is away, is not waited for; it keeps its turn until it has ended. */
  async #work(work: Work): Promise<Deno.CommandOutput> {
    const { turns } = this.#options;
    const { signal } = work;
    const turn = await turns.enter(signal);
    const ended = run(work).finally(() => turn[Symbol.dispose]());
    const { promise: late, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([ended, late]);
    } finally {
      signal.removeEventListener("abort", abort);
      ended.catch(() => {}); // Whoever waited has been told.
    }
  }
}

/** One request, and what works on it. */
interface Work {
  readonly perl: string;
  readonly root: string;
  readonly request: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** Runs the helper on a request. It reads all of it before it answers. */
async function run({ perl, root, request, signal }: Work): Promise<Deno.CommandOutput> {
  const child = new Deno.Command(perl, {
    args: ["-f", "-e", HELD_FOLDER_SCRIPT, Deno.build.arch, root],
    cwd: "/",
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
  const [output] = await Promise.all([child.output(), write(child.stdin, request)]);
  return output;
}

async function write(
  stream: WritableStream<Uint8Array>,
  octets: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(octets);
    await writer.close();
  } catch (error) {
    // It ended before, and says why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
