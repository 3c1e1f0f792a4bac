/** The started program with TLS and a mailbox, for attackers: how to reach it, and what must be true of it afterwards. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { testAuthority } from "../support/certificates.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { memoryOf } from "../support/memory.ts";
import { type ByteStream, Pop3Client } from "../support/pop3_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

/** What a stage is set with. */
export interface StageOptions {
  readonly flags?: readonly string[];
  /** Whether there is a certificate. @default true */
  readonly tls?: boolean;
  /** The state file. @default ":memory:" */
  readonly state?: string;
  /** `--auth-delay`. @default "0" */
  readonly authDelay?: string;
  /** More users than the two that there always are. */
  readonly users?: Readonly<Record<string, string>>;
  /** Errors that the program is to log, since what happens is a matter for its administrator. @default none */
  readonly errors?: RegExp;
  /** Messages in alice's mailbox. @default three of 300 octets */
  readonly messages?: readonly Uint8Array[];
}

/** Users of every stage; alice has the mail. */
export const USERS = { alice: "wonder land", bob: "builder" } as const;

/** Whether the heavy forms are wanted: POSTERN_TEST_HEAVY=1 (docs/security.md). */
export const heavy: boolean = Deno.env.get("POSTERN_TEST_HEAVY") === "1";

/** A running program with everything that an attacker would like to have. Disposing requires that it logged no error. */
export class Stage implements AsyncDisposable {
  readonly program: RunningProgram;
  /** Folder of the mailboxes; the folder around it is the test's, too. */
  readonly maildir: string;
  /** The authority's certificate in PEM. */
  readonly ca: string;
  readonly #resources: AsyncDisposableStack;
  readonly #expected: RegExp | undefined;

  /** Use {@linkcode startStage}. */
  constructor(
    program: RunningProgram,
    maildir: string,
    ca: string,
    resources: AsyncDisposableStack,
    expected: RegExp | undefined,
  ) {
    this.program = program;
    this.maildir = maildir;
    this.ca = ca;
    this.#resources = resources;
    this.#expected = expected;
  }

  /** Connects in clear; the greeting is not read. */
  connect(options: { readonly deadline?: number } = {}): Promise<Pop3Client> {
    return Pop3Client.connect({ port: this.program.port(), ...options });
  }

  /** Connects to the port that is secure from the first octet. */
  async connectTls(): Promise<Pop3Client> {
    return new Pop3Client(
      await Deno.connectTls({
        hostname: "127.0.0.1",
        port: this.program.port("pop3s"),
        caCerts: [this.ca],
      }),
      { name: "TLS client" },
    );
  }

  /** A socket in clear, without any client's manners. */
  async raw(protocol = "pop3"): Promise<Deno.TcpConn> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.program.port(protocol) });
    conn.setNoDelay(true);
    return conn;
  }

  /** Shakes hands on a socket that was told to begin, and gives the client above it. */
  async secured(conn: Deno.TcpConn): Promise<Pop3Client> {
    const secure = await Deno.startTls(conn, { hostname: "127.0.0.1", caCerts: [this.ca] });
    return new Pop3Client(secure as ByteStream, { name: "STLS client" });
  }

  /** Resident memory of the program in MiB, as the kernel counts it (VmRSS). */
  async memory(): Promise<number> {
    return (await memoryOf(this.program.pid)).now;
  }

  /** A well-behaved session from greeting to QUIT; fails unless all goes well. Returns its milliseconds. */
  async serves(): Promise<number> {
    const begun = performance.now();
    using client = await this.connect();
    await client.login("bob", USERS.bob);
    await client.ok("STAT");
    await client.retrieve(1);
    assertEquals(await client.command("QUIT"), "+OK 1 messages left");
    await client.ended();
    return performance.now() - begun;
  }

  /** Waits until alice can log in, which tells that no session of hers is left. */
  async aliceIsFree(): Promise<void> {
    await eventually("alice's maildrop being free", async () => {
      using client = await this.connect();
      await client.line();
      await client.ok("USER alice");
      const answer = await client.command(`PASS ${USERS.alice}`);
      assert(answer.startsWith("+OK") || answer.startsWith("-ERR [IN-USE]"), answer);
      await client.send("QUIT\r\n");
      await client.line();
      return answer.startsWith("+OK");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
    const errors = this.program.stderr.split("\n").filter((line) =>
      /"level":"(?:error|fatal)"|panicked|Uncaught/.test(line) &&
      !this.#expected?.test(line)
    );
    assertEquals(errors, [], "the program logged errors");
  }
}

/** Sets a stage: alice with her messages, bob with one, two workers, a certificate. */
export async function startStage(options: StageOptions = {}): Promise<Stage> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const maildir = join(folder.path, "mail");
  const messages = options.messages ?? [1, 2, 3].map((n) => messageOfSize(300, `message ${n}`));
  await makeMailbox(join(maildir, "alice"), "maildir", messages);
  await makeMailbox(join(maildir, "bob"), "maildir", [messageOfSize(300)]);
  const flags = [
    "--workers",
    "2",
    "--auth-delay",
    options.authDelay ?? "0",
    "--login-timeout",
    "20",
  ];
  let ca = "";
  if (options.tls ?? true) {
    const authority = resources.use(await testAuthority());
    const leaf = await authority.issue("localhost");
    flags.push("--tls-cert", leaf.chain, "--tls-key", leaf.key, "--tls-port", "0");
    ca = authority.ca;
  }
  const program = resources.use(
    await startProgram({
      maildir,
      users: { ...USERS, ...options.users },
      ...(options.state !== undefined && { state: options.state }),
      flags: [...flags, ...(options.flags ?? [])],
    }),
  );
  return new Stage(program, maildir, ca, resources.move(), options.errors);
}

/** Reads to the end whatever comes; a reset is an end. */
export async function drain(
  conn: Pick<Deno.Conn, "read">,
  most = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65_536);
  try {
    for (let total = 0; total < most;) {
      const octets = await conn.read(buffer);
      if (octets === null) break;
      total += octets;
      parts.push(buffer.slice(0, octets));
    }
  } catch (error) {
    if (!isOver(error)) throw error;
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Writes everything; false when the server ended the connection before. */
export async function pour(
  conn: Pick<Deno.Conn, "write">,
  data: string | Uint8Array,
): Promise<boolean> {
  const octets = typeof data === "string" ? new TextEncoder().encode(data) : data;
  try {
    for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
    return true;
  } catch (error) {
    if (!isOver(error)) throw error;
    return false;
  }
}

/** Whether an error says that the connection is over. */
export function isOver(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.NotConnected;
}

/** Base64 of text, or of octets written one a character. */
export function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
