/** What the tests of several workers share: an administrator, many mailboxes, and clients at once. */

import { join } from "node:path";
import { makeMailbox, messageOfSize } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import type { RunningProgram } from "../support/program.ts";

/** Flags for an administrator who is not slowed down. */
export const ROOT: readonly string[] = ["--admin", "root:secret", "--auth-delay", "0"];

/** Connects to the management port and logs in. */
export async function administrator(program: RunningProgram): Promise<Pop3Client> {
  const client = await Pop3Client.connect({ port: program.port("msmp") });
  await client.login("root", "secret");
  return client;
}

/** Makes Maildirs with so many small messages each, and the users' passwords. */
export async function manyUsers(
  maildir: string,
  users: number,
  messages: number = 1,
): Promise<Record<string, string>> {
  const passwords: Record<string, string> = {};
  for (let user = 0; user < users; user++) {
    const name = `u${user}`;
    passwords[name] = "x";
    await makeMailbox(
      join(maildir, name),
      "maildir",
      Array.from({ length: messages }, () => messageOfSize(200)),
    );
  }
  return passwords;
}

/** Writes users with clear passwords: as many flags would not fit, and their keys would take long. */
export async function usersFile(path: string, users: Record<string, string>): Promise<string> {
  const lines = Object.entries(users).map(([name, password]) => `${name}:{PLAIN}${password}\n`);
  await Deno.writeTextFile(path, lines.join(""));
  return path;
}
