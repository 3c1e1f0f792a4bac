/** Brings a question to an authentication hook, and its answer back: by HTTP, through a socket, or by a program's standard input. */

import { splitWords } from "../../transform/split_words.ts";
import { fileErrorReason, isFileError } from "../../files/file_error.ts";

/** Octets of an answer. */
const MOST_OCTETS = 64 * 1024;
const REFUSAL = '{"ok":false}';

/** Asks a hook; rejects with a sentence when it gives no answer. */
export interface HookTransport extends Disposable {
  /** How many may be asked at once. */
  readonly atOnce: number;
  /** @param signal ends the asking */
  ask(question: string, signal: AbortSignal): Promise<string>;
}

/**
 * Makes what asks a hook.
 *
 * @param hook `http://…` or `https://…`, `unix:PATH`, or a command line
 * @param path the variable PATH, for programs
 * @throws {SyntaxError} when it is none of these
 */
export function hookTransport(hook: string, path: string): HookTransport {
  if (/^https?:\/\//i.test(hook)) return new HttpTransport(hook, undefined);
  if (hook.startsWith("unix:")) return new HttpTransport("http://localhost/", hook.slice(5));
  return new ProgramTransport(splitWords(hook), path);
}

class HttpTransport implements HookTransport {
  readonly atOnce = 256;
  readonly #url: string;
  readonly #client: Deno.HttpClient;

  constructor(url: string, socket: string | undefined) {
    this.#url = url;
    this.#client = Deno.createHttpClient(
      socket === undefined ? {} : { proxy: { transport: "unix", path: socket } },
    );
  }

  async ask(question: string, signal: AbortSignal): Promise<string> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: question,
      redirect: "error",
      client: this.#client,
      signal,
    });
    const text = await readWhole(response.body, signal);
    if (response.ok) return text;
    // The plain words of HTTP for a wrong password.
    if (response.status === 401 || response.status === 403) return REFUSAL;
    throw new Error(`it answers with the HTTP status ${response.status}`);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

class ProgramTransport implements HookTransport {
  readonly atOnce = 64;
  readonly #words: readonly string[];
  readonly #path: string;

  constructor(words: readonly string[], path: string) {
    this.#words = words;
    this.#path = path;
  }

  async ask(question: string, signal: AbortSignal): Promise<string> {
    const [program, ...args] = this.#words as [string, ...string[]];
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args,
        env: { PATH: this.#path },
        clearEnv: true,
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
    } catch (error) {
      if (!isFileError(error)) throw error;
      throw new Error(`${program} cannot be run: ${fileErrorReason(error)}`);
    }
    const kill = (): void => {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof TypeError)) throw error;
      }
    };
    signal.addEventListener("abort", kill, { once: true });
    try {
      const written = write(child.stdin, `${question}\n`);
      const text = await readWhole(child.stdout, signal);
      await written;
      const { code } = await child.status;
      if (code === 0) return text;
      // Not even 1 means a wrong password: a script that crashes ends so.
      throw new Error(`${program} ended with the status ${code}`);
    } finally {
      signal.removeEventListener("abort", kill);
      kill();
    }
  }

  [Symbol.dispose](): void {}
}

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    // A program need not read its question.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Reads all of an answer, and no more than an answer may have. */
async function readWhole(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const ended = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", ended, { once: true });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [text, octets] = ["", 0];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      signal.throwIfAborted();
      if (done) return text + decoder.decode();
      octets += value.length;
      if (octets > MOST_OCTETS) throw new Error(`it answers with more than ${MOST_OCTETS} octets`);
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    signal.removeEventListener("abort", ended);
    await reader.cancel().catch(() => {});
  }
}
