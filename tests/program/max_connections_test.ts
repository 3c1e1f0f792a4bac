// 3 000 clients against room for 998: never more are served at once, and every one of them is served in the end.
import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const CLIENTS = 3000;
const ROOM = 998;
/** Milliseconds. What finds the backlog full asks again after 1, 3, 7, 15 and 31 seconds: the kernel's doing. */
const PATIENCE = 90_000;

Deno.test("the program serves no more than max_connections at once, and those that wait as places come free", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    flags: ["--max-connections", String(ROOM)],
  });
  let served = 0;
  let most = 0;
  let total = 0;
  const greeted: Pop3Client[] = [];
  const release = Promise.withResolvers<void>();

  async function visit(): Promise<void> {
    using client = await Pop3Client.connect({ port: program.port(), deadline: PATIENCE });
    const greeting = await client.line();
    assert(greeting.startsWith("+OK "), greeting);
    served++;
    total++;
    most = Math.max(most, served);
    greeted.push(client);
    await release.promise;
    // From here on the server may let in another one.
    served--;
    assertEquals(await client.command("QUIT"), "+OK bye");
    await client.ended();
  }

  const visits = Array.from({ length: CLIENTS }, () => visit());
  const done = Promise.all(visits);
  void done.catch(() => {});
  await Promise.race([eventually("the room being full", () => served >= ROOM), done]);
  // Each of those inside gets answers while the others wait; meanwhile nobody else gets in.
  for (const client of greeted.slice(0, ROOM)) await client.ok("NOOP");
  assertEquals(served, ROOM);
  release.resolve();
  await done;
  assertEquals({ most, total }, { most: ROOM, total: CLIENTS });
});
