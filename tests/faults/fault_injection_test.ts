/** The test support's own fault injection: the started program's file calls go through it, and so does its wall clock. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import {
  ERRNO,
  FaultInjection,
  faultTest,
  type FaultyCall,
  startFaultyProgram,
} from "../support/fault_injection/fault_injection.ts";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { within } from "../support/waiting.ts";

/** What a program of one line prints under faults. */
async function printed(injection: FaultInjection, source: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", source],
    env: { ...injection.env, NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

faultTest(
  "fault injection reaches every file call of the runtime, by both of its interfaces",
  async () => {
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    for (const name of ["read", "stat", "unlink", "rename", "link", "fsync", "write", "mode"]) {
      await Deno.writeTextFile(at(name), "octets");
    }
    await Deno.mkdir(at("readdir"));
    const fault = (call: FaultyCall, name: string, errno: number) => ({
      calls: [call],
      path: at(name),
      errno,
    });
    await using injection = await FaultInjection.make({
      faults: [
        fault("open", "open", ERRNO.EDQUOT),
        fault("read", "read", ERRNO.EIO),
        fault("stat", "stat", ERRNO.ESTALE),
        fault("opendir", "readdir", ERRNO.EMFILE),
        fault("unlink", "unlink", ERRNO.EUCLEAN),
        fault("rename", "rename", ERRNO.EROFS),
        fault("link", "link", ERRNO.ENOSPC),
        fault("fsync", "fsync", ERRNO.EDQUOT),
        fault("write", "write", ERRNO.EDQUOT),
        fault("mkdir", "mkdir", ERRNO.EDQUOT),
        fault("chmod", "mode", ERRNO.EPERM),
      ],
    });
    const source = `
    import fs from "node:fs";
    const at = (name) => ${JSON.stringify(folder.path)} + "/" + name;
    const tries = {
      open: () => Deno.openSync(at("open"), { write: true, create: true }),
      nodeOpen: () => fs.openSync(at("open"), fs.constants.O_NOFOLLOW),
      read: () => Deno.openSync(at("read")).readSync(new Uint8Array(1)),
      asyncRead: () => Deno.readTextFile(at("read")),
      nodeRead: () => fs.readSync(fs.openSync(at("read")), new Uint8Array(1)),
      stat: () => Deno.statSync(at("stat")),
      lstat: () => Deno.lstatSync(at("stat")),
      fstat: () => Deno.openSync(at("stat")).statSync(),
      nodeLstat: () => fs.lstatSync(at("stat")),
      readDir: () => [...Deno.readDirSync(at("readdir"))],
      asyncReadDir: () => Array.fromAsync(Deno.readDir(at("readdir"))),
      remove: () => Deno.removeSync(at("unlink")),
      rename: () => Deno.renameSync(at("rename"), at("renamed")),
      link: () => Deno.linkSync(at("link"), at("linked")),
      fsync: () => Deno.openSync(at("fsync")).syncSync(),
      fdatasync: () => Deno.openSync(at("fsync")).syncDataSync(),
      write: () => Deno.openSync(at("write"), { write: true }).writeSync(new Uint8Array(1)),
      mkdir: () => Deno.mkdirSync(at("mkdir")),
      chmod: () => Deno.chmodSync(at("mode"), 0o600),
    };
    for (const [name, attempt] of Object.entries(tries)) {
      try {
        await attempt();
        console.log(name);
      } catch {
        // Expected.
      }
    }`;
    assertEquals(await printed(injection, source), "", "these succeeded");
    const hits = new Set((await injection.hits()).map((hit) => `${hit.fault} ${hit.call}`));
    assertEquals(hits.size, 11);
  },
);

faultTest("fault injection counts: after n calls, n times", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "counted");
  await using injection = await FaultInjection.make({
    faults: [{ calls: ["stat"], path, errno: ERRNO.EIO, after: 2, times: 2 }],
  });
  await Deno.writeTextFile(path, "");
  const source = `for (let i = 0; i < 6; i++) {
    try { Deno.lstatSync(${
    JSON.stringify(path)
  }); console.log("ok"); } catch (error) { console.log(error.code); }
  }`;
  assertEquals(await printed(injection, source), "ok\nok\nEIO\nEIO\nok\nok\n");
});

faultTest("fault injection shifts the wall clock, and lets timers be", async () => {
  await using injection = await FaultInjection.make({ clock: -10 * 365 * 86_400_000 });
  const source = `const begun = performance.now();
    setTimeout(() => console.log(JSON.stringify([Date.now(), performance.now() - begun])), 1);`;
  const [now, took] = JSON.parse(await printed(injection, source)) as [number, number];
  const shift = (now - Date.now()) / 86_400_000 / 365;
  assert(shift < -9.99 && shift > -10.01, `${shift} years`);
  assert(took < 60_000, `${took} ms`);
});

faultTest("a running program's faults are changed, and a change ends a delay", async () => {
  await using folder = await temporaryFolder();
  const mailbox = join(folder.path, "alice");
  await makeMailbox(mailbox, "maildir", [messageOfSize(300)]);
  await using stage = await startFaultyProgram({
    maildir: folder.path,
    users: { alice: "wonderland" },
    flags: ["--auth-delay", "0"],
  });
  const { program, faults } = stage;
  {
    using client = await program.connect();
    await client.login("alice", "wonderland");
    await faults.set({ faults: [{ calls: ["open"], path: mailbox, errno: ERRNO.EIO }] });
    assertStringIncludes(await client.command("RETR 1"), "-ERR");
    await faults.hit("open", "alice/new/");
    await faults.clear();
    await client.retrieve(1);
    await client.ok("QUIT");
    await client.ended();
  }
  using client = await program.connect();
  await client.line();
  await client.ok("USER alice");
  await faults.set({ faults: [{ calls: ["open", "stat"], path: mailbox, delay: 3_600_000 }] });
  await client.send("PASS wonderland\r\n");
  await faults.hit("stat", "alice");
  await faults.clear();
  assertStringIncludes(await within(client.line(), "the login's answer"), "+OK 1 messages");
  await client.ok("QUIT");
});
