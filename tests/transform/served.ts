/** The started program with a transformer that does something else for every user. */

import { join } from "node:path";
import { makeMailbox, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { runningFor, zombiesOf } from "./processes.ts";
import { eventually } from "../support/waiting.ts";

/** What is served. */
export interface ServedOptions {
  /** Shell scripts by user: what the transformer does with that user's mail. The others get it from `cat`. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Each user's messages; users without any have {@linkcode LETTER}. */
  readonly mail?: Readonly<Record<string, readonly Uint8Array[]>>;
  readonly flags?: readonly string[];
  /** Instead of the one that runs the scripts; null gives no flag. */
  readonly transformer?: string | null;
  readonly state?: string;
  /** transformer_timeout in seconds. @default 60 */
  readonly timeout?: number;
}

/** The message that every user has who was given no other. */
export const LETTER: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  "Subject: hello\r\n\r\nOne line.\r\n",
);

/** The running program, its users, and what is left of their transformers. */
export interface Served extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly folder: string;
  /** The program that runs the scripts. */
  readonly dispatcher: string;
  /** A user as the system knows it: no other test, and no other run of this one, has the same. */
  name(user: string): string;
  login(user: string): Promise<Pop3Client>;
  /** Logs an administrator in. */
  manage(): Promise<Pop3Client>;
  /** Waits until no process that a transformer started for these users is left, wherever it went, and no zombie. */
  nothingLeft(...users: string[]): Promise<void>;
  /** A counter of /metrics, by its labels as they are written there. */
  count(metric: string, labels?: string): Promise<number>;
}

/** Starts the program. Disposing ends it and requires that nothing is left of any transformer. */
export async function serve(options: ServedOptions = {}): Promise<Served> {
  const { scripts = {}, mail = {}, flags = [] } = options;
  const folder = await temporaryFolder();
  const users = [...new Set([...Object.keys(scripts), ...Object.keys(mail)])];
  const name = (user: string): string => `${user}-${folder.path.split("-").at(-1)?.toLowerCase()}`;
  const maildir = join(folder.path, "mail");
  for (const user of users) {
    await makeMailbox(join(maildir, name(user)), "maildir", mail[user] ?? [LETTER]);
  }
  const dispatcher = join(folder.path, "dispatcher");
  const cases = Object.entries(scripts).map(([user, script]) => `${name(user)}) ${script};;`);
  const text = ["#!/bin/sh", 'case "$POSTERN_USER" in', ...cases, "*) exec cat;;", "esac", ""];
  await Deno.writeTextFile(dispatcher, text.join("\n"), { mode: 0o755 });
  const { transformer = dispatcher } = options;
  const passwords = join(folder.path, "users");
  await Deno.writeTextFile(passwords, users.map((user) => `${name(user)}:{PLAIN}pw\n`).join(""));
  const program = await startProgram({
    maildir,
    ...(options.state === undefined ? {} : { state: options.state }),
    flags: [
      ...["--users", passwords, "--admin", "root:secret", "--http", "127.0.0.1:0"],
      ...transformer === null ? [] : ["--transformer", transformer],
      ...["--transformer-timeout", String(options.timeout ?? 60)],
      ...flags,
    ],
  });
  const nothingLeft = async (...some: string[]): Promise<void> => {
    for (const user of some) {
      await eventually(`nothing is left of ${user}'s transformers`, async () => {
        return (await runningFor(name(user))).length === 0;
      });
    }
    await eventually("no zombie is left", async () => (await zombiesOf(program.pid)).length === 0);
  };
  return {
    program,
    folder: folder.path,
    dispatcher,
    name,
    nothingLeft,
    async login(user): Promise<Pop3Client> {
      const client = await program.connect();
      await client.login(name(user), "pw");
      return client;
    },
    async manage(): Promise<Pop3Client> {
      const client = await Pop3Client.connect({ port: program.port("msmp") });
      await client.login("root", "secret");
      await client.ok("MSMP 2");
      return client;
    },
    async count(metric, labels = ""): Promise<number> {
      const answer = await fetch(`http://127.0.0.1:${program.port("http")}/metrics`);
      const line = (await answer.text()).split("\n").find((one) =>
        one.startsWith(`${metric}${labels} `)
      );
      return Number(line?.split(" ").at(-1) ?? 0);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        await program[Symbol.asyncDispose]();
        for (const user of users) {
          await eventually(
            `the ended program left nothing of ${user}'s`,
            async () => (await runningFor(name(user))).length === 0,
          );
        }
      } finally {
        await folder[Symbol.asyncDispose]();
      }
    },
  };
}
