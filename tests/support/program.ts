/** Starts the real program for tests, on free ports, with the permissions of the task, and takes it down again. */

import { runArguments } from "../../tasks/run_arguments.ts";
import { projectRoot } from "./mailboxes.ts";
import { Pop3Client } from "./pop3_client.ts";
import { eventually, within } from "./waiting.ts";

/** What the program is started with. */
export interface ProgramOptions {
  /** Folder of the mailboxes. */
  readonly maildir: string;
  /** Passwords by user name. */
  readonly users?: Readonly<Record<string, string>>;
  /** More flags, as on the command line. */
  readonly flags?: readonly string[];
  /** Variables of the environment besides the machine's; nothing named POSTERN_… or OTEL_… gets in otherwise. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * The state file.
   *
   * @default ":memory:"
   */
  readonly state?: string;
  /**
   * The address that POP3 listens on.
   *
   * @default "127.0.0.1"
   */
  readonly listen?: string;
  /** Given the program before it is ready; waited for. */
  readonly starting?: (program: RunningProgram) => Promise<void>;
}

/** A socket that the program listens on, as its `ready` line tells. */
export interface BoundListener {
  /** `pop3`, `pop3s`, `msmp`, `http`. */
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

/** A line of the program's log. */
export interface LogLine {
  readonly message: string;
  readonly level: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The running program. Disposing sends SIGTERM and requires that it ends with exit status 0. */
export class RunningProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Collected;
  readonly #stderr: Collected;
  #ended: Promise<Ended> | undefined;
  #listeners: readonly BoundListener[] = [];

  /** Use {@linkcode startProgram}. */
  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#stdout = new Collected(child.stdout);
    this.#stderr = new Collected(child.stderr);
  }

  /** Waits for the `ready` line; fails with what the program said if it ends before. */
  async ready(): Promise<void> {
    let over = false;
    void this.#child.status.then(() => over = true);
    await eventually(
      "the program's ready line",
      () => over || this.#readyLine() !== undefined,
      () => this.stderr,
    );
    const ready = this.#readyLine();
    if (ready === undefined) {
      const { code, stderr, stdout } = await this.ended();
      throw new Error(`The program ended with ${code} before it was ready: ${stderr}${stdout}`);
    }
    this.#listeners = listenersOf(ready);
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** All sockets that it listens on. */
  get listeners(): readonly BoundListener[] {
    return this.#listeners;
  }

  /** What it wrote to standard error so far. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** What it wrote to standard output so far. */
  get stdout(): string {
    return this.#stdout.text;
  }

  /** The log lines so far, where they are JSON. */
  get log(): LogLine[] {
    return this.stderr.split("\n").flatMap((line) => {
      const parsed = parseLogLine(line);
      return parsed === undefined ? [] : [parsed];
    });
  }

  /**
   * The port of the first listener of a protocol.
   *
   * @throws {Error} when there is none
   */
  port(protocol: string = "pop3"): number {
    const found = this.#listeners.find((listener) => listener.protocol === protocol);
    if (found === undefined) {
      throw new Error(
        `No ${protocol} listener among ${JSON.stringify(this.#listeners)}: ${this.stderr}`,
      );
    }
    return found.port;
  }

  /** Connects to the POP3 port. The greeting is not read. */
  connect(): Promise<Pop3Client> {
    return Pop3Client.connect({ port: this.port() });
  }

  /** Sends a signal to this process, and to no other. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. */
  ended(): Promise<Ended> {
    this.#ended ??= (async () => {
      const status = await within(this.#child.status, "the program's end");
      await Promise.all([this.#stdout.done, this.#stderr.done]);
      return {
        code: status.code,
        signal: status.signal,
        stdout: this.stdout,
        stderr: this.stderr,
      };
    })();
    return this.#ended;
  }

  /** Ends the program by SIGTERM, or another signal, and tells how it ended. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ended> {
    if (this.#ended === undefined) {
      try {
        this.signal(signal);
      } catch (error) {
        // It has ended by itself; the status tells how.
        if (!(error instanceof TypeError)) throw error;
      }
    }
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.#ended !== undefined;
    const { code, signal, stderr } = await this.stop();
    if (!stopped && (code !== 0 || signal !== null)) {
      throw new Error(`The program ended with ${signal ?? code} on SIGTERM: ${stderr}`);
    }
  }

  #readyLine(): LogLine | undefined {
    return this.log.find((line) => line.message === "ready");
  }
}

/** Starts the program and waits until it is ready. */
export async function startProgram(options: ProgramOptions): Promise<RunningProgram> {
  const program = new RunningProgram(spawnProgram(serveArguments(options), options.env));
  try {
    await options.starting?.(program);
    await program.ready();
  } catch (error) {
    await program.stop("SIGKILL");
    throw error;
  }
  return program;
}

/** Runs the program with these arguments to its end. */
export async function runProgram(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  await using program = new RunningProgram(spawnProgram(args, options.env));
  return await program.ended();
}

/** The arguments that a server of a test is started with; free ports, loopback, JSON logs. */
export function serveArguments(options: ProgramOptions): string[] {
  const users = Object.entries(options.users ?? {});
  return [
    "serve",
    ...["--listen", options.listen ?? "127.0.0.1"],
    ...["--port", "0"],
    ...["--admin-port", "0"],
    ...["--maildir", options.maildir],
    ...["--state", options.state ?? ":memory:"],
    ...["--log-format", "json"],
    ...["--server-name", "pop.example.org"],
    ...users.flatMap(([name, password]) => ["--user", `${name}:${password}`]),
    ...(options.flags ?? []),
  ];
}

/**
 * Starts the program's process. `POSTERN_TEST_PROGRAM` (words separated by blanks) names another one to test in its place, as
 * the compiled binary.
 */
export function spawnProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  const other = Deno.env.get("POSTERN_TEST_PROGRAM")?.split(" ");
  const [command, ...before] = other ??
    [Deno.execPath(), ...runArguments()];
  return new Deno.Command(command!, {
    args: [...before, ...args],
    cwd: projectRoot,
    env: { ...machineEnvironment(), NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The environment without anything that would configure the program; `env` is asked, for tests may not read all of it. */
export function machineEnvironment(): Record<string, string> {
  const { stdout } = new Deno.Command("env", { args: ["-0"] }).outputSync();
  const entries = new TextDecoder().decode(stdout).split("\0").filter((entry) => entry !== "");
  return Object.fromEntries(
    entries
      .map((entry): [string, string] => {
        const at = entry.indexOf("=");
        return [entry.slice(0, at), entry.slice(at + 1)];
      })
      .filter(([name]) => !/^(POSTERN|OTEL)_/.test(name)),
  );
}

/** Everything that a stream says, kept as text. */
class Collected {
  text = "";
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.done = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) this.text += decoder.decode(chunk, { stream: true });
    })();
  }
}

function parseLogLine(line: string): LogLine | undefined {
  if (!line.startsWith("{")) return undefined;
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    // The last line may still be on its way.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return {
    message: String(parsed.message),
    level: String(parsed.level),
    properties: (parsed.properties ?? parsed) as Record<string, unknown>,
  };
}

function listenersOf(ready: LogLine): BoundListener[] {
  const { listeners } = ready.properties;
  if (!Array.isArray(listeners)) {
    throw new Error(`The ready line lists no listeners: ${JSON.stringify(ready)}`);
  }
  return listeners as BoundListener[];
}
