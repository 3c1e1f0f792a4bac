// kill -9 while mail comes in by LMTP: what was answered is there whole, and nothing is there in part.

import { assert, assertEquals } from "@std/assert";
import { LmtpClient } from "../support/lmtp_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

const KILLS = Deno.env.get("POSTERN_TEST_HEAVY") === "1" ? 50 : 4;
const PER_KILL = 25;

/** The message of a number, LF at the ends of its lines. */
const messageOf = (number: number): string =>
  `Subject: ${number}\n\n${`${number} `.repeat(number % 700)}\n.${number}\n`;

/** Delivers numbers one after the other until the server is gone; returns those that were answered. */
async function deliverFrom(program: RunningProgram, next: () => number): Promise<Set<number>> {
  const answered = new Set<number>();
  try {
    using client = await LmtpClient.connect({ port: program.port("lmtp") });
    await client.command("LHLO x");
    for (;;) {
      const number = next();
      const sent = messageOf(number).replaceAll("\n", "\r\n");
      const [answer] = await client.deliver(["ada"], sent);
      if (!answer?.startsWith("250")) return answered;
      answered.add(number);
    }
  } catch (error) {
    // The server was killed in the midst.
    if (error instanceof Deno.errors.BrokenPipe) return answered;
    if (error instanceof Deno.errors.ConnectionReset) return answered;
    if (error instanceof Deno.errors.ConnectionRefused) return answered;
    throw error;
  }
}

Deno.test("kill -9 loses no message that LMTP answered for, and leaves none in part", async () => {
  const root = Deno.makeTempDirSync({ prefix: "postern-killed-" });
  try {
    const answered = new Set<number>();
    let last = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const program = await startProgram({
        maildir: root,
        users: { ada: "x" },
        flags: ["--lmtp", "127.0.0.1:0"],
      });
      const goal = last + PER_KILL;
      const killed = Promise.withResolvers<void>();
      const next = (): number => {
        if (++last === goal) {
          program.signal("SIGKILL");
          killed.resolve();
        }
        return last;
      };
      const all = await Promise.all([1, 2].map(() => deliverFrom(program, next)));
      for (const some of all) for (const number of some) answered.add(number);
      await killed.promise;
      await program.ended();
    }
    const found = new Map<number, number>();
    for (const { name } of Deno.readDirSync(`${root}/ada/new`)) {
      const text = Deno.readTextFileSync(`${root}/ada/new/${name}`);
      const number = Number(/^Subject: (\d+)$/m.exec(text)?.[1]);
      assertEquals(text.slice(text.indexOf("Subject: ")), messageOf(number));
      found.set(number, (found.get(number) ?? 0) + 1);
    }
    for (const number of answered) assertEquals(found.get(number), 1, `message ${number}`);
    // At most what each of the two clients had under way at a kill was delivered without an answer.
    assert(found.size <= answered.size + 2 * KILLS);
    // The index that the killed ones left is good: a login serves all of it.
    await using program = await startProgram({ maildir: root, users: { ada: "x" } });
    using client = await program.connect();
    assertEquals(
      (await client.login("ada", "x")).split(" ")[1],
      String(found.size),
    );
    await client.ok("QUIT");
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
