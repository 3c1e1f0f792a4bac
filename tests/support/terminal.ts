/** Runs the program in a terminal of its own, by Python's pty module, and looks at what it shows there. */

import { runArguments } from "../../tasks/run_arguments.ts";
import { machineEnvironment } from "./program.ts";
import { projectRoot } from "./mailboxes.ts";
import { eventually, within } from "./waiting.ts";

/** Starts its arguments under a pty of 80 × 24, passes octets through, and tells at the end how the terminal was left. */
const BRIDGE = `
import fcntl, os, pty, select, signal, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
sources = [fd, 0]
while fd in sources:
    for ready in select.select(sources, [], [])[0]:
        try:
            octets = os.read(ready, 65536)
        except OSError:
            octets = b""
        if not octets:
            sources.remove(ready)
        elif ready == fd:
            os.write(1, octets)
        else:
            os.write(fd, octets)
flags = termios.tcgetattr(fd)[3]
echo, lines = bool(flags & termios.ECHO), bool(flags & termios.ICANON)
_, status = os.waitpid(pid, 0)
print(f"left={echo and lines}", file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status) & 0xff)
`;

/** How a program in a terminal ended. */
export interface TerminalEnd {
  readonly code: number;
  /** Whether the terminal was left as it was: with echo, taking lines. */
  readonly restored: boolean;
}

/** A program in a terminal. */
export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #errors: Promise<string>;
  #ended: Promise<TerminalEnd> | undefined;
  /** Everything that was shown so far, escapes among it. */
  shown = "";

  /** @param args of the program */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const program = Deno.env.get("POSTERN_TEST_PROGRAM")?.split(" ") ??
      [Deno.execPath(), ...runArguments()];
    this.#child = new Deno.Command("python3", {
      args: ["-c", BRIDGE, ...program, ...args],
      cwd: projectRoot,
      env: { ...machineEnvironment(), TERM: "xterm", ...env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#errors = new Response(this.#child.stderr).text();
    this.#reading = this.#read();
  }

  /** Types something. */
  async type(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /**
   * Waits until something is shown that was not before.
   *
   * @param from where in {@linkcode Terminal.shown} to look from
   * @returns where it ends
   */
  async see(text: string, from = 0): Promise<number> {
    await eventually(
      `${JSON.stringify(text)} on the terminal`,
      () => this.shown.includes(text, from),
      () => JSON.stringify(this.shown.slice(from)),
    );
    return this.shown.indexOf(text, from) + text.length;
  }

  /** Sends SIGTERM to the program in the terminal. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Waits for the program's end. */
  ended(): Promise<TerminalEnd> {
    this.#ended ??= (async () => {
      const { code } = await within(this.#child.status, "the end of the program in the terminal");
      await this.#reading;
      const errors = await this.#errors;
      await this.#writer.abort().catch(() => {}); // The pipe is closed already.
      return { code, restored: errors.includes("left=True") };
    })();
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) this.terminate();
    await this.ended();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      this.shown += decoder.decode(chunk, { stream: true });
    }
  }
}
