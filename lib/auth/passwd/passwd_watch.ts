/** Reads the passwd-file again when it has changed: no signal is needed. */

import { logger } from "../../log/logging.ts";
import type { PasswdFile } from "./passwd_file.ts";

const log = logger("users");

/** Milliseconds between two looks at the file. One that is being written is read once it has looked the same twice. */
const INTERVAL_MS = 500;

/** What is watched. */
export interface PasswdWatchOptions {
  readonly file: Pick<PasswdFile, "path" | "reread">;
  /** Told when it was read again. */
  readonly changed: () => void;
  /** Milliseconds between two looks. @default {500} */
  readonly interval?: number;
}

/** Looks at a passwd-file from its making on. Disposing ends that. */
export class PasswdWatch implements Disposable {
  readonly #options: PasswdWatchOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  /** How the file looked when it was read. */
  #read: string | undefined;
  /** How it looked at the last look. */
  #seen: string | undefined;
  #isLooking = false;

  constructor(options: PasswdWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), options.interval ?? INTERVAL_MS);
    Deno.unrefTimer(this.#timer);
    void this.look();
  }

  /** Looks at the file, and reads it again if it has changed. Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const look = await lookOf(this.#options.file.path);
      const isStill = look === this.#seen;
      this.#seen = look;
      this.#read ??= look;
      if (look === this.#read || !isStill) return;
      this.#read = look;
      await this.#reread();
    } finally {
      this.#isLooking = false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #reread(): Promise<void> {
    const { file, changed } = this.#options;
    try {
      await file.reread();
      log.info("Read the changed users file {path}", { path: file.path });
      changed();
    } catch (error) {
      log.error("The changed users file cannot be used, the users before it stay: {error}", {
        error,
      });
    }
  }
}

async function lookOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ");
  } catch (error) {
    if (error instanceof Error) return error.name;
    throw error;
  }
}
