/** /healthz and /readyz of the started program: what turns them red, the reason in the body, and that they recover. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import {
  type Fault,
  faultTest,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { canMount, smallDisk } from "../support/small_disk.ts";
import { eventually } from "../support/waiting.ts";

const HTTP = ["--http", "127.0.0.1:0"];

async function probe(program: RunningProgram, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${program.port("http")}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

/** The program as one that a supervisor watches, with a mailbox of ada's. */
async function withAda(
  body: (folder: string, mail: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const mail = join(folder.path, "mail");
  await makeMailbox(join(mail, "ada"), "maildir", [messageOfSize(300)]);
  await body(folder.path, mail);
}

Deno.test("the probes are green, and a mail folder that is missing turns readyz red, by name", async () => {
  await withAda(async (folder, maildir) => {
    await using program = await startProgram({ maildir, users: { ada: "ada" }, flags: HTTP });
    assertEquals(await probe(program, "/healthz"), "200 ok\n");
    assertEquals(await probe(program, "/readyz"), "200 ready\n");
    // It is a visit like that of `postern health`, of which nothing stays in the folder.
    assertEquals([...Deno.readDirSync(maildir)].map(({ name }) => name).sort(), [
      ".postern-mailboxes",
      ".postern.lock",
      "ada",
    ]);
    await Deno.rename(maildir, join(folder, "elsewhere"));
    assertEquals(
      await probe(program, "/readyz"),
      `503 The mail folder ${maildir} cannot be read: no such file or folder (ENOENT)\n`,
    );
    assertEquals(await probe(program, "/healthz"), "200 ok\n");
    await Deno.rename(join(folder, "elsewhere"), maildir);
    assertEquals(await probe(program, "/readyz"), "200 ready\n");
  });
});

Deno.test("healthz is red while all connections are taken, as postern health is", async () => {
  await withAda(async (_, maildir) => {
    const flags = [...HTTP, "--max-connections", "1", "--workers", "1"];
    await using program = await startProgram({ maildir, users: { ada: "ada" }, flags });
    using ada = await program.connect();
    await ada.login("ada", "ada");
    assertMatch(await probe(program, "/healthz"), /^503 127\.0\.0\.1:\d+ .*max_connections/);
    await ada.ok("QUIT");
    await eventually(
      "a free connection",
      async () => await probe(program, "/healthz") === "200 ok\n",
    );
  });
});

Deno.test("a server that shuts down says so to both probes", async () => {
  await withAda(async (_, maildir) => {
    await using program = await startProgram({ maildir, users: { ada: "ada" }, flags: HTTP });
    using ada = await program.connect();
    await ada.login("ada", "ada");
    program.signal("SIGTERM");
    await eventually(
      "a red probe",
      async () => await probe(program, "/readyz") === "503 The server is shutting down\n",
    );
    assertEquals(await probe(program, "/healthz"), "503 The server is shutting down\n");
    await ada.ok("QUIT");
  });
});

Deno.test("healthz sends the PROXY header that the port wants of this machine", async () => {
  await withAda(async (_, maildir) => {
    const flags = [...HTTP, "--proxy-protocol", "127.0.0.0/8"];
    await using program = await startProgram({ maildir, flags });
    assertEquals(await probe(program, "/healthz"), "200 ok\n");
  });
});

faultTest("a session worker that hangs turns both probes red within five seconds", async () => {
  await withAda(async (_, maildir) => {
    const hang: Fault = { calls: ["read"], path: "/ada/", delay: 60_000 };
    await using faulty = await startFaultyProgram({
      maildir,
      users: { ada: "ada" },
      flags: [...HTTP, "--workers", "2"],
    });
    const { program, faults } = faulty;
    using ada = await program.connect();
    await ada.login("ada", "ada");
    await faults.set({ faults: [hang] });
    await ada.send("RETR 1\r\n");
    await faults.hit("read", "/ada/");
    assertMatch(await probe(program, "/healthz"), /^503 (.*\n)?A session worker hangs\n$/);
    assertEquals(await probe(program, "/readyz"), "503 A session worker hangs\n");
    await faults.clear();
    await eventually("green", async () => await probe(program, "/readyz") === "200 ready\n");
    assertEquals(await probe(program, "/healthz"), "200 ok\n");
  });
});

faultTest("a mail folder whose file server hangs turns readyz red, and is asked once", async () => {
  await withAda(async (_, maildir) => {
    await using faulty = await startFaultyProgram({ maildir, flags: HTTP });
    const { program, faults } = faulty;
    const hang: Fault = { calls: ["stat", "opendir", "open"], path: maildir, delay: 60_000 };
    await faults.set({ faults: [hang] });
    const red = "503 The mail folder does not answer: its disk or file server hangs\n";
    assertEquals(await probe(program, "/readyz"), red);
    const asked = (await faults.hits()).length;
    assertEquals(await probe(program, "/readyz"), red);
    assertEquals((await faults.hits()).length, asked);
    await faults.clear();
    await eventually("green", async () => await probe(program, "/readyz") === "200 ready\n");
  });
});

Deno.test({
  name: "a full disk of the mail folder or of the state turns readyz red",
  ignore: !canMount,
  fn: async () => {
    await using disk = await smallDisk(2 * 1024 * 1024);
    await using folder = await temporaryFolder();
    const maildir = join(disk.path, "mail");
    await Deno.mkdir(maildir);
    const state = join(folder.path, "postern.db");
    {
      await using program = await startProgram({ maildir, state, flags: HTTP });
      await disk.fill();
      assertEquals(
        await probe(program, "/readyz"),
        `503 The disk of the mail folder (${maildir}) cannot be written: no space left on the disk (ENOSPC)\n`,
      );
      await disk.free();
      assertEquals(await probe(program, "/readyz"), "200 ready\n");
    }
    const full = { maildir: folder.path, state: join(disk.path, "postern.db"), flags: HTTP };
    await using program = await startProgram(full);
    await disk.fill();
    assertMatch(await probe(program, "/readyz"), /^503 .*(no space|full)/i);
    assertEquals(await probe(program, "/healthz"), "200 ok\n");
    await disk.free();
    assertEquals(await probe(program, "/readyz"), "200 ready\n");
  },
});
