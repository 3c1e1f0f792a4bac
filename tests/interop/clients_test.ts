// Real mail clients fetch mailboxes full of awkward messages; what they write must be the messages, octet for octet.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import {
  AWKWARD_MESSAGES,
  BIG_MESSAGES,
  octetsOf,
  textOf,
  wireForm,
} from "../support/awkward_messages.ts";
import { type Layout, makeMailbox, messageFiles, temporaryFolder } from "../support/mailboxes.ts";
import { machineEnvironment, startProgram } from "../support/program.ts";
import { CLIENTS, installed } from "./clients.ts";
import type { Client } from "./clients.ts";

const USER = "ann";
const PASSWORD = "correct-horse";
const LAYOUTS: readonly Layout[] = ["maildir", "folder"];
const mustBeThere = machineEnvironment().CI === "true";

/** The messages that a client is given: as they are, or each behind a header that tells it from the others. */
function messagesFor(client: Client): Uint8Array[] {
  const all = [...AWKWARD_MESSAGES.values(), ...BIG_MESSAGES.values()];
  const given = client.takes === "anything" ? all : all.map((message, index) =>
    octetsOf(
      `From: a@example.org\nTo: b@example.org\nSubject: message ${index}\n\n${textOf(message)}`,
    )
  );
  return given.filter((message) => linesOf(message).every((line) => client.carries(line)));
}

function linesOf(message: Uint8Array): Uint8Array[] {
  const lines = [];
  for (let start = 0; start < message.length;) {
    const end = message.indexOf(10, start);
    lines.push(message.subarray(start, end < 0 ? message.length : end));
    start = end < 0 ? message.length : end + 1;
  }
  return lines;
}

/** Which messages there are more or less of than there should be, shortly. */
function difference(got: string[], expected: string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of expected) counts.set(text, (counts.get(text) ?? 0) + 1);
  for (const text of got) counts.set(text, (counts.get(text) ?? 0) - 1);
  return [...counts].filter(([, count]) => count !== 0).slice(0, 6).map(([text, count]) =>
    `${count > 0 ? "missing" : "unexpected"}: ${JSON.stringify(text.slice(0, 200))}`
  );
}

for (const client of CLIENTS) {
  for (const fetched of client.can) {
    for (const layout of fetched === "keep" ? LAYOUTS : LAYOUTS.slice(0, 1)) {
      const what = fetched === "keep" ? "fetches" : "fetches and deletes";
      Deno.test({
        name: `${client.name} ${what} a ${layout} of awkward messages octet for octet`,
        ignore: !mustBeThere && !installed(client),
        async fn(): Promise<void> {
          if (!installed(client)) {
            throw new Error(`${client.command} is not installed: .ci/run brings it`);
          }
          await using folder = await temporaryFolder();
          const maildir = join(folder.path, "mail");
          const home = join(folder.path, "home");
          await Deno.mkdir(home);
          // getmail6 delivers as somebody else, who must get to its inbox.
          await Deno.chmod(folder.path, 0o755);
          let messages = messagesFor(client);
          // curl's deletes take a session each.
          if (fetched === "delete" && client.name === "curl") messages = messages.slice(0, 10);
          await makeMailbox(join(maildir, USER), layout, messages);
          await using program = await startProgram({
            maildir,
            users: { [USER]: PASSWORD },
            flags: ["--auth-delay", "0"],
          });

          const written = await client.fetch({
            port: program.port(),
            user: USER,
            password: PASSWORD,
            fetched,
            messages: messages.length,
          }, home);

          const expected = messages.map((message) => client.writes(textOf(wireForm(message))));
          assertEquals(difference(written.map(textOf), expected), []);
          assertEquals(written.length, expected.length);
          const left = await messageFiles(join(maildir, USER));
          assertEquals(left.length, fetched === "keep" ? messages.length : 0);
        },
      });
    }
  }
}
