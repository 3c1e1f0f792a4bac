// Far more clients than max_connections: never more are logged in at once, and every one of them is served in the end.
import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const HEAVY = Deno.env.get("POSTERN_TEST_HEAVY") === "1";
const CLIENTS = HEAVY ? 3000 : 600;
const ROOM = HEAVY ? 998 : 198;
/** Milliseconds. What finds the backlog full asks again after 1, 3, 7, 15 and 31 seconds: the kernel's doing. */
const PATIENCE = 90_000;

Deno.test("no more than max_connections are logged in at once, and those that wait follow as others leave", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    users: { crowd: "secret" },
    flags: ["--max-connections", String(ROOM), "--max-sessions-per-user", String(CLIENTS)],
  });
  let served = 0;
  let most = 0;
  let total = 0;
  const inside: Pop3Client[] = [];
  const release = Promise.withResolvers<void>();

  async function visit(): Promise<void> {
    using client = await Pop3Client.connect({ port: program.port(), deadline: PATIENCE });
    await client.login("crowd", "secret");
    served++;
    total++;
    most = Math.max(most, served);
    inside.push(client);
    await release.promise;
    // From here on the server may let in another one.
    served--;
    assertEquals(await client.command("QUIT"), "+OK 0 messages left");
    await client.ended();
  }

  const visits = Array.from({ length: CLIENTS }, () => visit());
  const done = Promise.all(visits);
  void done.catch(() => {});
  await Promise.race([eventually("the room being full", () => served >= ROOM), done]);
  // Each of those inside gets answers while the others wait; meanwhile nobody else gets in.
  for (const client of inside.slice(0, ROOM)) await client.ok("NOOP");
  assertEquals(served, ROOM);
  release.resolve();
  await done;
  assert(most <= ROOM, `${most} were logged in at once`);
  assertEquals(total, CLIENTS);
});
