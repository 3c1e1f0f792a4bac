// Sessions beside one that makes the server work for long: their answers come meanwhile (issue "Sound", 18).
import { assert } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { startProgram } from "../support/program.ts";

const MESSAGES = 6000;
/** Answers that another session must get meanwhile. Where sockets are starved it gets one or two. */
const ENOUGH = 5;

/** Counts NOOPs that one session has answered while another one waits for its own answer. */
async function answersDuring(other: Pop3Client, work: Promise<unknown>): Promise<number> {
  let isOver = false;
  void work.finally(() => isOver = true);
  let answers = 0;
  while (!isOver) {
    await other.ok("NOOP");
    answers++;
  }
  await work;
  return answers;
}

Deno.test("others are answered during a first login of many messages, and during the QUIT that deletes them", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "ada");
  await makeMailbox(mailbox, "maildir", []);
  for (let number = 0; number < MESSAGES; number++) {
    const name = `${1_700_000_000 + number}.M1P1.host`;
    Deno.writeTextFileSync(join(mailbox, "new", name), `Subject: ${number}\n\nx\n`);
  }
  await makeMailbox(join(folder.path, "bob"), "maildir", [messageOfSize(300)]);
  await using program = await startProgram({
    maildir: folder.path,
    users: { ada: "ada", bob: "bob" },
    flags: ["--workers", "1"],
  });
  using bob = await program.connect();
  await bob.login("bob", "bob");
  using ada = await program.connect();
  await ada.line();
  await ada.ok("USER ada");
  const atLogin = await answersDuring(bob, ada.ok("PASS ada"));
  assert(atLogin >= ENOUGH, `${atLogin} answers during the login`);
  const numbers = Array.from({ length: MESSAGES }, (_, index) => index + 1);
  const sending = ada.send(numbers.map((number) => `DELE ${number}\r\n`).join(""));
  for (const _ of numbers) assert((await ada.line()).startsWith("+OK"));
  await sending;
  const atQuit = await answersDuring(bob, ada.ok("QUIT"));
  assert(atQuit >= ENOUGH, `${atQuit} answers during the QUIT`);
});
