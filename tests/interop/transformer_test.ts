// Real mail clients fetch through a transformer; what they write must be what it made, though RETR names no size and LIST the stored one.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { AWKWARD_MESSAGES, octetsOf, textOf, wireForm } from "../support/awkward_messages.ts";
import { makeMailbox, messageFiles, temporaryFolder } from "../support/mailboxes.ts";
import { machineEnvironment, startProgram } from "../support/program.ts";
import { CLIENTS, installed } from "./clients.ts";

const USER = "ann";
const PASSWORD = "correct-horse";
const mustBeThere = machineEnvironment().CI === "true";

/** Command lines, and what each puts before a message. */
const TRANSFORMERS = [
  { what: "cat", command: "cat", before: "" },
  {
    what: "a program that makes messages longer",
    command: "sh -c 'echo X-Filtered: yes; exec cat'",
    before: "X-Filtered: yes\n",
  },
] as const;

/** Some awkward bodies, each behind a header that tells it from the others. */
const MESSAGES = [...AWKWARD_MESSAGES.values()].filter((_, index) => index % 7 === 3).map((
  body,
  index,
) => `From: a@example.org\nTo: b@example.org\nSubject: message ${index}\n\n${textOf(body)}`);

for (const client of CLIENTS) {
  for (const { what, command, before } of TRANSFORMERS) {
    // The script that uses it holds what comes against LIST.
    if (client.command === "python3" && before !== "") continue;
    for (const fetched of client.can) {
      Deno.test({
        name: `${client.name} fetches through ${what}, and ${fetched}s`,
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
          const carried = MESSAGES.filter((message) =>
            message.split("\n").every((line) => client.carries(octetsOf(line)))
          );
          // curl's deletes take a session each.
          const messages = fetched === "delete" ? carried.slice(0, 5) : carried;
          await makeMailbox(join(maildir, USER), "maildir", messages.map(octetsOf));
          await using program = await startProgram({
            maildir,
            users: { [USER]: PASSWORD },
            flags: ["--auth-delay", "0", "--transformer", command],
          });

          const written = await client.fetch({
            port: program.port(),
            user: USER,
            password: PASSWORD,
            fetched,
            messages: messages.length,
          }, home);

          const expected = messages.map((message) =>
            client.writes(textOf(wireForm(octetsOf(before + message))))
          );
          assertEquals(written.map(textOf).toSorted(), expected.toSorted());
          const left = await messageFiles(join(maildir, USER));
          assertEquals(left.length, fetched === "keep" ? messages.length : 0);
        },
      });
    }
  }
}
