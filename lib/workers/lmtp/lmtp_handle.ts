/** The main thread's end of the thread that takes mail by LMTP: starts it, answers it, believes nothing of it, and replaces it when it dies. */

import { type HeldFolders, HelperError, NoHelperError } from "../../contracts/held_folders.ts";
import type { Logging } from "../../log/logging.ts";
import { logger } from "../../log/logging.ts";
import { MOST_REQUEST_OCTETS } from "../../mail/held/held_mailbox.ts";
import { StartError } from "../../net/start_error.ts";
import { MessageBudget } from "../message_budget.ts";
import {
  octets,
  oneOf,
  optional,
  type Reader,
  record,
  tagged,
  text,
  whole,
} from "../value_readers.ts";
import { markLine, readLogLine } from "../worker_log.ts";
import type { WorkerPermissions } from "../worker_permissions.ts";
import type {
  FoundRecipient,
  FromLmtp,
  LmtpAnswer,
  LmtpQuestion,
  LmtpSetup,
  ToLmtp,
} from "./messages.ts";

const log = logger("lmtp");

/** Milliseconds until a thread that died is replaced. */
const REPLACE_PAUSE_MS = 1000;
/** Milliseconds that the thread may take to end behind its sessions. */
const END_PATIENCE_MS = 3000;
/** Messages of the thread, at once and each second. */
const MESSAGES = { most: 100_000, perSecond: 20_000 };

/** What the thread is served with. */
export interface LmtpHandleOptions {
  readonly setup: LmtpSetup;
  readonly permissions: WorkerPermissions;
  readonly held: HeldFolders;
  readonly logging: Pick<Logging, "accept">;
  /** Finds who an address is. @throws {Error} when that cannot be found out now */
  readonly find: (address: string) => Promise<FoundRecipient | undefined>;
}

const message: Reader<FromLmtp> = tagged("type", {
  listening: record({ type: oneOf("listening"), address: text(4096), port: whole(0, 65_535) }),
  "cannot-listen": record({ type: oneOf("cannot-listen"), why: text(4096) }),
  ask: record({
    type: oneOf("ask"),
    call: whole(1),
    question: tagged("kind", {
      find: record({ kind: oneOf("find"), address: text(1024) }),
      hold: record({
        kind: oneOf("hold"),
        request: octets(MOST_REQUEST_OCTETS),
        root: optional(text(4096)),
      }),
    }),
  }),
  log: record({ type: oneOf("log"), line: readLogLine }),
  died: record({ type: oneOf("died"), message: text(4096) }),
  closed: record({ type: oneOf("closed") }),
});

/** The LMTP port. */
export class LmtpHandle {
  readonly #options: LmtpHandleOptions;
  #worker: Worker | undefined;
  #budget = new MessageBudget(MESSAGES);
  #opened = Promise.withResolvers<{ address: string; port: number }>();
  #closed: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Where it listens, once it does: a port that was any free one stays the same. */
  #place: LmtpSetup["place"];

  private constructor(options: LmtpHandleOptions) {
    this.#options = options;
    this.#place = options.setup.place;
  }

  /**
   * Starts the thread; it serves when this has settled.
   *
   * @throws {StartError} when it cannot listen
   */
  static async open(
    options: LmtpHandleOptions,
  ): Promise<{ readonly handle: LmtpHandle; readonly address: string; readonly port: number }> {
    const handle = new LmtpHandle(options);
    handle.#start();
    try {
      return { handle, ...await handle.#opened.promise };
    } catch (error) {
      handle.#worker?.terminate();
      throw error;
    }
  }

  /** Changes the log's level. */
  setLevel(level: LmtpSetup["settings"]["logLevel"]): void {
    this.#post({ type: "level", level });
  }

  /** Accepts no more, lets messages be delivered that are being received, and ends the thread. */
  async close(patience: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#closed = Promise.withResolvers();
    this.#post({ type: "close", patience });
    if (this.#worker === undefined) this.#closed.resolve();
    const late = setTimeout(() => this.#closed?.resolve(), patience + END_PATIENCE_MS);
    await this.#closed.promise;
    clearTimeout(late);
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #post(message: ToLmtp): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    this.#budget = new MessageBudget(MESSAGES);
    const worker = new Worker(new URL("./lmtp_thread.ts", import.meta.url).href, {
      type: "module",
      name: "lmtp",
      deno: { permissions: this.#options.permissions },
    });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.#worker === worker) this.#take(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#died(event.message);
    };
    this.#post({ type: "setup", setup: { ...this.#options.setup, place: this.#place } });
  }

  #take(data: unknown): void {
    let read: FromLmtp;
    try {
      if (!this.#budget.take()) throw new Error("It sends too many messages");
      read = message(data, "");
    } catch (error) {
      return this.#died(error instanceof Error ? error.message : String(error));
    }
    this.#obey(read);
  }

  #obey(read: FromLmtp): void {
    switch (read.type) {
      case "listening":
        if ("port" in this.#place) this.#place = { ...this.#place, port: read.port };
        return this.#opened.resolve({ address: read.address, port: read.port });
      case "cannot-listen":
        this.#opened.reject(new StartError(`Cannot listen for LMTP (--lmtp): ${read.why}`));
        this.#opened.promise.catch(() => {}); // Whoever waited has been told.
        return this.#died(read.why);
      case "ask":
        return void this.#answer(read.call, read.question);
      case "log":
        return this.#options.logging.accept(markLine(read.line, "lmtp"));
      case "died":
        return this.#died(read.message);
      case "closed":
        return this.#closed?.resolve();
    }
  }

  async #answer(call: number, question: LmtpQuestion): Promise<void> {
    let answer: LmtpAnswer;
    try {
      answer = question.kind === "find"
        ? { kind: "found", recipient: await this.#options.find(question.address) }
        : { kind: "held", answer: await this.#hold(question) };
    } catch (error) {
      answer = { kind: "failed", why: error instanceof Error ? error.message : String(error) };
    }
    this.#post({ type: "answer", call, answer });
  }

  async #hold(
    { request, root }: Extract<LmtpQuestion, { kind: "hold" }>,
  ): Promise<Extract<LmtpAnswer, { kind: "held" }>["answer"]> {
    try {
      return { kind: "done", octets: await this.#options.held.run(request, root) };
    } catch (error) {
      if (error instanceof NoHelperError) return { kind: "failed", why: undefined };
      if (error instanceof HelperError) return { kind: "failed", why: error.message };
      throw error;
    }
  }

  #died(why: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#closed?.resolve();
    if (this.#closed !== undefined) return;
    log.error("The LMTP thread died and is started again: {why}", { why });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), REPLACE_PAUSE_MS);
  }
}
