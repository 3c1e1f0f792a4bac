/** A real Dovecot on a Maildir of a test's own, on a free port of loopback, without TLS. */

import { join } from "node:path";
import { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";

/** The account that mailboxes belong to. */
export const MAIL_ACCOUNT = 4321;

/** Whether Dovecot can be run here: it wants to be started by root. */
export function hasDovecot(): boolean {
  if (Deno.uid() !== 0) return false;
  try {
    return Deno.statSync("/usr/lib/dovecot/pop3").isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A port of loopback that nobody listens on now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Dovecot. Disposing ends it. */
export class Dovecot implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts it.
   *
   * @param folder of the test's own, for its files
   * @param mail the mailboxes, one a user
   * @param settings more lines of its configuration
   */
  static async start(
    folder: string,
    mail: string,
    settings: readonly string[] = [],
  ): Promise<Dovecot> {
    const port = freePort();
    const path = join(folder, "dovecot.conf");
    const log = join(folder, "dovecot.log");
    await Deno.writeTextFile(path, configuration(folder, mail, port, log, settings));
    const child = new Deno.Command("dovecot", {
      args: ["-F", "-c", path],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const dovecot = new Dovecot(child, port);
    let over = false;
    void child.status.then(() => over = true);
    await eventually("Dovecot's greeting", async () => {
      if (over) throw new Error(`Dovecot ended: ${Deno.readTextFileSync(log)}`);
      try {
        const client = await Pop3Client.connect({ port });
        await client.line();
        await client.leave();
        return true;
      } catch {
        // Not yet.
        return false;
      }
    }, () => Deno.readTextFileSync(log));
    return dovecot;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

function configuration(
  folder: string,
  mail: string,
  port: number,
  log: string,
  settings: readonly string[],
): string {
  return [
    "protocols = pop3",
    `base_dir = ${join(folder, "run")}`,
    `state_dir = ${join(folder, "run")}`,
    `log_path = ${log}`,
    "listen = 127.0.0.1",
    "ssl = no",
    "disable_plaintext_auth = no",
    `mail_location = maildir:${mail}/%u`,
    "passdb {\n  driver = static\n  args = password=pw\n}",
    `userdb {\n  driver = static\n  args = uid=${MAIL_ACCOUNT} gid=${MAIL_ACCOUNT} home=${mail}/%u\n}`,
    "service pop3-login {",
    `  inet_listener pop3 {\n    port = ${port}\n  }`,
    "  inet_listener pop3s {\n    port = 0\n  }\n}",
    ...settings,
    "",
  ].join("\n");
}
