// kill -9 while QUIT removes messages: nothing that was not marked is lost, and the next start needs no repair.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { wireForm } from "../support/awkward_messages.ts";
import { type Layout, makeMailbox, messageFiles, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const MESSAGES = 4000;

function message(number: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`Subject: message ${number}\n\n${"line\n".repeat(number % 50)}`);
}

for (const layout of ["maildir", "folder"] as const satisfies Layout[]) {
  Deno.test(`a kill during UPDATE loses no message of a ${layout} that was not marked`, async () => {
    await using folder = await temporaryFolder();
    const maildir = join(folder.path, "mail");
    const mailbox = join(maildir, "ann");
    await makeMailbox(
      mailbox,
      layout,
      Array.from({ length: MESSAGES }, (_, index) => message(index + 1)),
    );
    const options = {
      maildir,
      users: { ann: "secret" },
      state: join(folder.path, "state.db"),
    };
    {
      const program = await startProgram(options);
      try {
        using client = await program.connect();
        await client.login("ann", "secret");
        const odd = Array.from({ length: MESSAGES / 2 }, (_, index) => 2 * index + 1);
        await client.send(odd.map((number) => `DELE ${number}\r\n`).join(""));
        for (const number of odd) {
          assertEquals(await client.line(), `+OK message ${number} deleted`);
        }
        await client.send("QUIT\r\n");
        await eventually(
          "a deletion",
          async () => (await messageFiles(mailbox)).length < MESSAGES,
        );
      } finally {
        const ended = await program.stop("SIGKILL");
        assertEquals(ended.signal, "SIGKILL");
      }
    }
    const left = await messageFiles(mailbox);
    const numbers = left.map((file) => subjectNumber(Deno.readTextFileSync(join(mailbox, file))));
    const unmarked = numbers.filter((number) => number % 2 === 0);
    assertEquals(unmarked.length, MESSAGES / 2, "a message that was not marked is lost");

    await using program = await startProgram(options);
    using client = await program.connect();
    await client.login("ann", "secret");
    await client.ok("LIST");
    assertEquals((await client.list()).length, left.length);
    for (let index = 0; index < left.length; index += 97) {
      const got = await client.retrieve(index + 1);
      assertEquals(got, wireForm(message(numbers[index]!)));
    }
    assert((await client.command("QUIT")).startsWith("+OK "));
  });
}

function subjectNumber(text: string): number {
  return Number(text.match(/^Subject: message (\d+)\n/)![1]);
}
