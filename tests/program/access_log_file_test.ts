/** `--access-log FILE`: a line of JSON for each session, opened anew on SIGHUP, and a sentence where it cannot be. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { runProgram, serveArguments, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

function linesOf(path: string): Record<string, unknown>[] {
  try {
    return Deno.readTextFileSync(path).split("\n").slice(0, -1).map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

Deno.test("each session leaves a line of JSON that others read while the server runs", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  await makeMailbox(join(maildir, "ada"), "maildir", [messageOfSize(300), messageOfSize(200)]);
  const file = join(folder.path, "access.jsonl");
  await using program = await startProgram({
    maildir,
    users: { ada: "ada" },
    flags: ["--access-log", file],
  });
  {
    // Who never logs in leaves none.
    using client = await program.connect();
    await client.line();
    await client.ok("QUIT");
  }
  {
    using client = await program.connect();
    await client.login("ada", "ada");
    await client.retrieve(1);
    await client.ok("DELE 2");
    await client.ok("QUIT");
  }
  await eventually("a line", () => linesOf(file).length === 1);
  const [line] = linesOf(file);
  const { login, ended, session: id, ...rest } = line!;
  assertMatch(`${login} ${ended}`, /^\d{4}-\d\d-\d\dT[\d:.]+Z \d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assertMatch(String(id), /^\w+-\w+$/);
  assertEquals(rest, {
    user: "ada",
    address: "127.0.0.1",
    tls: null,
    mechanism: "USER",
    messages: 1,
    octets: 300,
    deleted: 1,
    ending: "quit",
  });
  // As logrotate does.
  await Deno.rename(file, `${file}.old`);
  program.signal("SIGHUP");
  await eventually("a new file", () => linesOf(`${file}.old`).length === 1 && exists(file));
  {
    using client = await program.connect();
    await client.login("ada", "ada");
  }
  await eventually("its line", () => linesOf(file)[0]?.ending === "client-gone");
  assertEquals(linesOf(`${file}.old`).length, 1);
});

Deno.test("an access log that cannot be opened is named, and the server does not start", async () => {
  await using folder = await temporaryFolder();
  const args = serveArguments({
    maildir: folder.path,
    flags: ["--access-log", "/nonexistent/access"],
  });
  const { code, stderr } = await runProgram(args);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /The access log file \/nonexistent\/access cannot be opened: .* with --access-log/,
  );
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
