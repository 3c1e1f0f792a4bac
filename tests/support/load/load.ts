/** Runs `load.c`: crowds of hostile clients, cheap enough to be run beside the server that they attack. */

import { join } from "node:path";
import { within } from "../waiting.ts";

/** How the clients behave: see load.c. */
export type LoadMode = "hold" | "slow" | "deaf" | "leave" | "reset" | "flood";

/** What a crowd does. */
export interface LoadOptions {
  readonly mode: LoadMode;
  readonly port: number;
  /** Clients at once, at most. */
  readonly count: number;
  /** Connections a second. @default as fast as they can be made */
  readonly rate?: number;
  /** What each says first; `%d` in it becomes its number. @default nothing */
  readonly opening?: string | Uint8Array;
  /** Whether connections that the server ends are made again. @default false */
  readonly again?: boolean;
  /** Seconds, unless it is stopped before. @default 60 */
  readonly seconds?: number;
}

/** What came of it. */
export interface LoadReport {
  readonly made: number;
  /** Answered by +OK. */
  readonly greeted: number;
  /** Ended by the server. */
  readonly ended: number;
  /** Refused by the system. */
  readonly failed: number;
  /** Open at the end. */
  readonly live: number;
}

/** Compiles the program into a folder. Returns undefined where there is no C compiler. */
export async function compileLoad(folder: string): Promise<string | undefined> {
  const program = join(folder, "load");
  const source = join(import.meta.dirname!, "load.c");
  try {
    const { success, stderr } = await new Deno.Command("cc", {
      args: ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return program;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A crowd at work. Disposing ends it. */
export class Load implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #report: Promise<LoadReport> | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /** @param program from {@linkcode compileLoad} */
  static async start(program: string, options: LoadOptions): Promise<Load> {
    const { mode, port, count, rate = 0, opening = "", again = false, seconds = 60 } = options;
    const args = [mode, port, seconds, count, rate, ...(again ? ["again"] : [])].map(String);
    const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
    const input = child.stdin.getWriter();
    await input.write(typeof opening === "string" ? new TextEncoder().encode(opening) : opening);
    await input.close();
    return new Load(child);
  }

  /** Ends it and tells what came of it. */
  stop(): Promise<LoadReport> {
    this.#report ??= (async () => {
      try {
        this.#child.kill("SIGTERM");
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof TypeError)) throw error;
      }
      const { stdout } = await within(this.#child.output(), "the load's end");
      return JSON.parse(new TextDecoder().decode(stdout));
    })();
    return this.#report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
