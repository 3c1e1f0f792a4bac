/** Starts the program with file calls that fail or take long, and with a wall clock of its own, by an LD_PRELOAD shim (shim.c). */

import { join } from "node:path";
import { temporaryFolder } from "../mailboxes.ts";
import { type ProgramOptions, type RunningProgram, startProgram } from "../program.ts";
import { eventually } from "../waiting.ts";

/** Groups of file calls; each stands for all its variants (shim.c lists them). */
export type FaultyCall =
  | "open"
  | "read"
  | "write"
  | "stat"
  | "opendir"
  | "readdir"
  | "unlink"
  | "rename"
  | "link"
  | "fsync"
  | "mkdir"
  | "chmod"
  | "truncate"
  | "lock";

/** Numbers of errors, as Linux has them on every machine that tests run on. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EACCES: 13,
  EBUSY: 16,
  ENFILE: 23,
  EMFILE: 24,
  ENOSPC: 28,
  EROFS: 30,
  ENAMETOOLONG: 36,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ESTALE: 116,
  EUCLEAN: 117,
  EDQUOT: 122,
} as const;

/** File calls that fail, or take long. */
export interface Fault {
  readonly calls: readonly FaultyCall[];
  /** Part of the whole path, or of either of two paths; without blanks. `"*"` is any path. */
  readonly path: string;
  /** The error that they fail with; or `delay`. */
  readonly errno?: number;
  /** Milliseconds that they take longer; setting other faults ends a delay early. */
  readonly delay?: number;
  /** Matching calls that are left alone before. @default 0 */
  readonly after?: number;
  /** Faults after which calls are left alone. @default no end */
  readonly times?: number;
}

/** A call that a fault befell. */
export interface Hit {
  /** Place of the fault in the list that was set then. */
  readonly fault: number;
  readonly call: FaultyCall;
  /** The whole path of the file; the first of two. */
  readonly path: string;
}

/** What the control file can say at once. */
export interface Faults {
  /** @default none */
  readonly faults?: readonly Fault[];
  /** Milliseconds that the program's wall clock is ahead of the machine's; negative when behind. @default 0 */
  readonly clock?: number;
}

/** Whether this machine can: tests say `ignore: !canInjectFaults`, or use {@linkcode faultTest}. */
export const canInjectFaults: boolean = Deno.build.os === "linux" && hasCompiler();

/** A test that is reported as ignored where faults cannot be injected. */
export function faultTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: !canInjectFaults, fn: body });
}

/** The faults of one program, which can be changed while it runs. Disposing removes its files. */
export class FaultInjection implements AsyncDisposable {
  readonly #folder: { readonly path: string } & AsyncDisposable;
  readonly #shim: string;
  #faults: readonly Fault[] = [];
  #clock = 0;
  #writings = 0;

  private constructor(folder: { readonly path: string } & AsyncDisposable, shim: string) {
    this.#folder = folder;
    this.#shim = shim;
  }

  /** Compiles the shim, unless this run has it, and writes the first control file. */
  static async make(faults: Faults = {}): Promise<FaultInjection> {
    const shim = await compiledShim();
    const injection = new FaultInjection(await temporaryFolder(), shim);
    await Deno.writeTextFile(injection.#hitsFile, "");
    await injection.set(faults);
    return injection;
  }

  /** Variables that put a program, and what inherits them, under these faults. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: this.#shim,
      FAULT_INJECTION_FILE: join(this.#folder.path, "control"),
      FAULT_INJECTION_HITS: this.#hitsFile,
    };
  }

  /**
   * Replaces the faults, the clock, or both; what is left out stays. It holds for every call that begins when this has resolved, and every
   * count begins anew.
   */
  async set({ faults = this.#faults, clock = this.#clock }: Faults): Promise<void> {
    this.#faults = faults;
    this.#clock = clock;
    const lines = [`clock ${Math.round(clock)}`, ...faults.map(lineOf)];
    // The shim takes a file of another size for another file, even where the clock of the file system did not tick.
    const text = lines.join("\n") + "\n".repeat(1 + ++this.#writings % 100);
    const path = join(this.#folder.path, "control");
    await Deno.writeTextFile(`${path}.next`, text);
    await Deno.rename(`${path}.next`, path);
  }

  /** Ends all faults, and every delay; the clock stays. */
  clear(): Promise<void> {
    return this.set({ faults: [] });
  }

  /** What has happened so far. A test that expects a fault asks, so that it cannot pass because nothing failed. */
  async hits(): Promise<Hit[]> {
    const text = await Deno.readTextFile(this.#hitsFile);
    return text.split("\n").slice(0, -1).map((line) => {
      const [fault, call, ...path] = line.split(" ");
      return { fault: Number(fault), call: call as FaultyCall, path: path.join(" ") };
    });
  }

  /** Waits until a call of this kind, on a path with this part, has failed or is being delayed. */
  async hit(call: FaultyCall, part = ""): Promise<void> {
    await eventually(
      `a fault of ${call} on ${part}`,
      async () => (await this.hits()).some((hit) => hit.call === call && hit.path.includes(part)),
    );
  }

  get #hitsFile(): string {
    return join(this.#folder.path, "hits");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** A program under faults; disposing ends both, and clears the faults first, so that the program can end. */
export interface FaultyProgram extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly faults: FaultInjection;
}

/** Starts the program under faults, and waits until it is ready. */
export async function startFaultyProgram(
  options: ProgramOptions & Faults,
): Promise<FaultyProgram> {
  await using resources = new AsyncDisposableStack();
  const faults = resources.use(await FaultInjection.make(options));
  const program = resources.use(
    await startProgram({ ...options, env: { ...options.env, ...faults.env } }),
  );
  resources.defer(() => faults.clear());
  const kept = resources.move();
  return { program, faults, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function lineOf({ calls, path, errno, delay, after, times }: Fault): string {
  if (/\s/.test(path) || path === "") {
    throw new TypeError(`No part of a path: ${JSON.stringify(path)}`);
  }
  if ((errno === undefined) === (delay === undefined)) {
    throw new TypeError("A fault has either an errno or a delay.");
  }
  return [
    calls.join(","),
    path,
    errno === undefined ? `delay ${delay}` : `errno ${errno}`,
    after === undefined ? "" : `after ${after}`,
    times === undefined ? "" : `times ${times}`,
    // The shim finds words by the blanks around them.
    "",
  ].join(" ");
}

function hasCompiler(): boolean {
  try {
    return new Deno.Command("cc", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Compiled once for each text of shim.c; other test files find it by its name, in the folder for temporary files. */
async function compiledShim(): Promise<string> {
  const source = join(import.meta.dirname!, "shim.c");
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(source));
  const name = new Uint8Array(digest).slice(0, 8).toHex();
  await using folder = await temporaryFolder();
  const cached = join(folder.path, "..", `postern-fault-injection-${name}.so`);
  if (await isOurs(cached, folder.path)) return await Deno.realPath(cached);
  const compiled = join(folder.path, "shim.so");
  const { success, stderr } = await new Deno.Command("cc", {
    args: [
      "-shared",
      "-fPIC",
      "-O1",
      "-Wall",
      "-Werror",
      "-o",
      compiled,
      source,
      "-ldl",
      "-pthread",
    ],
  }).output();
  if (!success) throw new Error(`cc cannot compile the shim: ${new TextDecoder().decode(stderr)}`);
  await Deno.chmod(compiled, 0o755);
  await Deno.rename(compiled, cached);
  return await Deno.realPath(cached);
}

/** Whether a file is there and was made by this user: in a folder that others write, too, anybody can make one of that name. */
async function isOurs(path: string, ownFolder: string): Promise<boolean> {
  try {
    const { isFile, uid, mode } = await Deno.lstat(path);
    return isFile && uid === (await Deno.lstat(ownFolder)).uid && ((mode ?? 0o777) & 0o022) === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
