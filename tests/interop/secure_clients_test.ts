// Real mail clients fetch over TLS, from the first octet and by STLS, and log in by the mechanisms that they choose.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { testAuthority } from "../support/certificates.ts";
import { makeMailbox, temporaryFolder } from "../support/mailboxes.ts";
import { machineEnvironment, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";
import { SECURE_CLIENTS } from "./secure_clients.ts";
import type { SecureClient, Security } from "./secure_clients.ts";

const USER = "ann";
const PASSWORD = "correct horse";
const MESSAGES = ["first", "second", "third\n.\n..\nend"].map((body, at) =>
  `From: a@example.org\nTo: b@example.org\nSubject: message ${at}\n\n${body}\n`
);
const mustBeThere = machineEnvironment().CI === "true";

function installed({ command }: SecureClient): boolean {
  const args = ["-c", 'command -v "$0" >/dev/null', command];
  return new Deno.Command("sh", { args }).outputSync().success;
}

/** How the program recorded the only session that there was: TLS version and mechanism. */
async function recorded(
  program: Awaited<ReturnType<typeof startProgram>>,
): Promise<{ tls: unknown; mechanism: unknown }[]> {
  const accesses = () =>
    program.stderr.split("\n").filter((line) => line.includes('"category":"access"'))
      .map((line) => JSON.parse(line));
  await eventually("the session's record", () => accesses().length > 0, () => program.stderr);
  return accesses().map(({ tls, mechanism }) => ({ tls, mechanism }));
}

async function fetches(client: SecureClient, security: Security): Promise<void> {
  await using folder = await temporaryFolder();
  // getmail6 delivers as somebody else, who must get to its inbox.
  await Deno.chmod(folder.path, 0o755);
  const home = join(folder.path, "home");
  await Deno.mkdir(home);
  await using authority = await testAuthority();
  const leaf = await authority.issue("localhost");
  const maildir = join(folder.path, "mail");
  await makeMailbox(
    join(maildir, USER),
    "maildir",
    MESSAGES.map((text) => new TextEncoder().encode(text)),
  );
  await using program = await startProgram({
    maildir,
    users: { [USER]: PASSWORD },
    flags: ["--tls-cert", leaf.chain, "--tls-key", leaf.key, "--tls-port", "0"],
  });

  const written = await client.fetch({
    security,
    port: program.port(security === "implicit" ? "pop3s" : "pop3"),
    user: USER,
    password: PASSWORD,
    ca: join(authority.folder, "ca.pem"),
    messages: MESSAGES.length,
  }, home);

  assertEquals(written.sort(), [...MESSAGES].sort());
  for (const { tls, mechanism } of await recorded(program)) {
    assertEquals(typeof tls === "string" && /^TLSv1\.[23]$/.test(tls), security !== "clear");
    assertEquals(mechanism, client.mechanism(security));
  }
}

for (const client of SECURE_CLIENTS) {
  for (const security of client.can) {
    const how = { implicit: "over TLS", stls: "by STLS", clear: "in clear" }[security];
    Deno.test({
      name: `${client.name} fetches ${how}, octet for octet`,
      ignore: !mustBeThere && !installed(client),
      fn: () => {
        if (!installed(client)) {
          throw new Error(`${client.command} is not installed: .ci/run brings it`);
        }
        return fetches(client, security);
      },
    });
  }
}
