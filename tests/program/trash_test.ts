// Deletes that can be undone, on the running program: the trash, restoring with the same unique-ids, and what DELE may do.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeMailbox } from "../support/mailboxes.ts";
import { type RunningProgram, runProgram, startProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const message = (subject: string): Uint8Array =>
  new TextEncoder().encode(`Subject: ${subject}\r\n\r\ny\r\n`);

/** A folder of the test's own. */
function folder(): Disposable & { readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "postern-trash-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A session that lists unique-ids, deletes, and quits. */
async function session(
  program: RunningProgram,
  user: string,
  deletes: readonly number[],
): Promise<{ readonly uids: string[]; readonly answers: string[] }> {
  using client = await program.connect();
  await client.login(user, "x");
  await client.ok("UIDL");
  const uids = (await client.list()).map((line) => line.split(" ")[1]!);
  const answers: string[] = [];
  for (const number of deletes) answers.push(await client.command(`DELE ${number}`));
  answers.push(await client.command("QUIT"));
  return { uids, answers };
}

/** A command of `postern admin`, and what it printed. */
async function admin(program: RunningProgram, ...words: string[]): Promise<string> {
  const port = String(program.port("msmp"));
  const { stdout, stderr } = await runProgram(["admin", "-p", port, "-u", "root:root", ...words]);
  return stdout + stderr;
}

Deno.test("deleted messages lie in the trash, and come back with their unique-ids", async () => {
  using root = folder();
  for (const layout of ["maildir", "folder"] as const) {
    await makeMailbox(`${root.path}/${layout}`, layout, ["one", "two", "three"].map(message));
  }
  await using program = await startProgram({
    maildir: root.path,
    users: { maildir: "x", folder: "x" },
    flags: ["--trash", "7", "--log-deletes", "--admin", "root:root"],
  });
  for (const user of ["maildir", "folder"]) {
    const { uids, answers } = await session(program, user, [1, 2]);
    assertMatch(answers.at(-1)!, /^\+OK/);
    assertEquals((await session(program, user, [])).uids, uids.slice(2));
    await eventually(
      "the log's deletes",
      () => program.stderr.includes(`Deleted message ${uids[1]} of ${user}`),
    );
    const listed = await admin(program, "trash", user);
    assertStringIncludes(listed, uids[0]!);
    assertMatch(listed, /by=\S+\/127\.0\.0\.1 one/);
    assertStringIncludes(await admin(program, "restore", user, uids[1]!), "1 messages restored");
    assertEquals((await session(program, user, [])).uids, uids.slice(1));
    assertStringIncludes(
      await admin(program, "restore", user, "since", "2020-01-01"),
      "1 messages restored",
    );
    assertEquals((await session(program, user, [])).uids, uids);
    await session(program, user, [3]);
    assertStringIncludes(await admin(program, "purge", user, "all"), "1 messages purged");
    assertStringIncludes(await admin(program, "restore", user, "all"), "0 messages restored");
    assertEquals((await session(program, user, [])).uids, uids.slice(0, 2));
  }
  assertStringIncludes(await admin(program, "trash", "nobody"), "User does not exist");
});

Deno.test("the sweep removes what was deleted too long ago, and no more", async () => {
  using root = folder();
  await makeMailbox(`${root.path}/ada`, "maildir", [message("one"), message("two")]);
  const options = {
    maildir: root.path,
    users: { ada: "x" },
    flags: ["--trash", "3", "--log-deletes", "--log-level", "debug"],
  };
  {
    await using program = await startProgram(options);
    await session(program, "ada", [1, 2]);
  }
  const trash = `${root.path}/ada/.Postern.Trash`;
  const files = [...Deno.readDirSync(trash)].map(({ name }) => name).filter((name) =>
    !name.startsWith(".")
  ).sort();
  assertEquals(files.length, 2);
  const old = (Date.now() - 4 * 86_400_000).toString(36);
  Deno.renameSync(`${trash}/${files[0]}`, `${trash}/${files[0]!.replace(/^[^_]+/, old)}`);
  await using program = await startProgram(options);
  await eventually("the sweep", () => program.stderr.includes("from the trash"));
  const left = [...Deno.readDirSync(trash)].map(({ name }) => name);
  assertEquals(left.filter((name) => !name.startsWith(".")), [files[1]!]);
});

Deno.test("DELE is refused, or hides a message from one session only, where a user's record or --deletes says so", async () => {
  using root = folder();
  for (const user of ["ada", "bob"]) {
    await makeMailbox(`${root.path}/${user}`, "maildir", [message("one")]);
  }
  await using program = await startProgram({
    maildir: root.path,
    users: { ada: "x", bob: "x" },
    flags: ["--deletes", "keep", "--admin", "root:root"],
  });
  const kept = await session(program, "ada", [1]);
  assertMatch(kept.answers[0]!, /^\+OK/);
  assertMatch(kept.answers[1]!, /^\+OK/);
  assertEquals((await session(program, "ada", [])).uids, kept.uids);
  assertStringIncludes(
    await admin(program, "user", "set", "bob", "deletes", "refuse"),
    "Changed user",
  );
  assertMatch((await session(program, "bob", [1])).answers[0]!, /^-ERR \[SYS\/PERM\]/);
  assert((await session(program, "bob", [])).uids.length === 1);
});
