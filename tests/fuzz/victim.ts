/** The program that is fuzzed: started as users start it, and watched for everything that must stay true. */

import { join } from "node:path";
import { testAuthority } from "../support/certificates.ts";
import { deliver, makeMailbox, temporaryFolder } from "../support/mailboxes.ts";
import { AWKWARD_MESSAGES, textOf, wireForm } from "../support/awkward_messages.ts";
import { memoryOf } from "../support/memory.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { within } from "../support/waiting.ts";
import { FUZZ_PASSWORD, FUZZ_USERS } from "./grammar.ts";
import type { Target } from "./session.ts";

/** MiB by which resident memory may grow; two workers' young heaps take most of it. */
const MOST_GROWTH = 350;
/** Milliseconds that a well-behaved session may take beside all the fuzzing. */
const MOST_PATIENCE = 10_000;
const STEADY = { name: "steady", password: "as a rock" } as const;

/** A running victim. */
export class Victim implements AsyncDisposable {
  readonly program: RunningProgram;
  readonly target: Target;
  readonly #maildir: string;
  readonly #resources: AsyncDisposableStack;
  #before = 0;
  #delivered = 0;

  private constructor(
    program: RunningProgram,
    target: Target,
    maildir: string,
    resources: AsyncDisposableStack,
  ) {
    this.program = program;
    this.target = target;
    this.#maildir = maildir;
    this.#resources = resources;
  }

  /** Starts the program with two workers, TLS, and mailboxes full of awkward messages. */
  static async start(): Promise<Victim> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await temporaryFolder());
    const authority = resources.use(await testAuthority());
    const leaf = await authority.issue("localhost");
    const maildir = join(folder.path, "mail");
    const messages = [...AWKWARD_MESSAGES.values()];
    for (const user of [STEADY.name, ...FUZZ_USERS]) {
      await makeMailbox(join(maildir, user), "maildir", messages);
    }
    const program = resources.use(
      await startProgram({
        maildir,
        users: {
          [STEADY.name]: STEADY.password,
          ...Object.fromEntries(FUZZ_USERS.map((user) => [user, FUZZ_PASSWORD])),
        },
        flags: [
          ...["--workers", "2", "--auth-delay", "0", "--login-timeout", "10", "--timeout", "30"],
          ...["--tls-cert", leaf.chain, "--tls-key", leaf.key, "--tls-port", "0"],
          ...["--proxy-protocol", "127.0.0.1/32", "--enable-last"],
          // Most of what is said is wrong, and a session should outlive some of it.
          ...["--max-bad-commands", "25"],
        ],
      }),
    );
    const target = {
      port: program.port(),
      securePort: program.port("pop3s"),
      ca: authority.ca,
    };
    const victim = new Victim(program, target, maildir, resources.move());
    for (const user of FUZZ_USERS.keys()) await victim.#makeFamiliar(user);
    await victim.requireSound();
    victim.#before = await victim.memory();
    return victim;
  }

  /** Puts one more message into a user's mailbox, for those that are deleted. */
  async refill(user: number): Promise<void> {
    const name = `${1_800_000_000 + ++this.#delivered}.M1P1.host`;
    await deliver(join(this.#maildir, FUZZ_USERS[user]!), "maildir", {
      name,
      bytes: new TextEncoder().encode(`Subject: ${name}\n\n.\n..\nbody`),
    });
  }

  /** Resident memory in MiB. */
  async memory(): Promise<number> {
    return (await memoryOf(this.program.pid)).now;
  }

  /** Fails unless the program lives, serves others, stays within its memory and has logged no error. */
  async requireSound(): Promise<void> {
    const memory = await this.memory();
    if (Number.isNaN(memory)) throw new Error(`The program is gone: ${this.program.stderr}`);
    if (this.#before > 0 && memory > this.#before + MOST_GROWTH) {
      throw new Error(`Memory grew from ${this.#before.toFixed()} to ${memory.toFixed()} MiB`);
    }
    const bad = this.program.stderr.split("\n").find((line) =>
      /"level":"(?:error|fatal)"|Uncaught|panicked/.test(line) ||
      // deno-lint-ignore no-control-regex -- control characters are what is looked for
      /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/.test(line)
    );
    if (bad !== undefined) throw new Error(`The log has an unexpected line: ${bad}`);
    await within(this.#steadySession(), "a well-behaved session", MOST_PATIENCE);
  }

  async #steadySession(): Promise<void> {
    using client = await Pop3Client.connect({ port: this.target.port });
    await client.send("PROXY TCP4 10.3.3.3 127.0.0.1 1000 110\r\n");
    await client.login(STEADY.name, STEADY.password);
    for (const [index, stored] of [...AWKWARD_MESSAGES.values()].slice(0, 5).entries()) {
      const message = await client.retrieve(index + 1);
      if (textOf(message) !== textOf(wireForm(stored))) throw new Error("A message came spoilt");
    }
    await client.ok("QUIT");
    await client.ended();
  }

  /** Lets a user log in from an address of their own, so that guesses at the name do not shut them out. */
  async #makeFamiliar(user: number): Promise<void> {
    using client = await Pop3Client.connect({ port: this.target.port });
    await client.send(`PROXY TCP4 10.1.1.${user + 1} 127.0.0.1 1000 110\r\n`);
    await client.login(FUZZ_USERS[user]!, FUZZ_PASSWORD);
    await client.ok("QUIT");
    await client.ended();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}
