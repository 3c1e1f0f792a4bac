// The sandbox, tried from inside: what a worker with exactly a session worker's permissions can do, and cannot.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { MailFolderLocks } from "../../lib/mail/mail_folder_lock.ts";
import { newGeneration } from "../../lib/workers/generation.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { findProgram } from "../../lib/transform/find_program.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { within } from "../support/waiting.ts";
import { inputs } from "../settings/inputs.ts";
import type { Grounds } from "./confined_worker.ts";

Deno.test("a session worker reaches its ports, the mail folder and the transformer, and nothing else", async () => {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const outside = join(folder.path, "outside");
  await Deno.mkdir(maildir);
  await Deno.mkdir(outside);
  await Deno.writeTextFile(join(outside, "code.ts"), "export {};");
  const stateFile = join(folder.path, "postern.db");
  const keyFile = join(folder.path, "key.pem");
  await Deno.writeTextFile(stateFile, "state");
  await Deno.writeTextFile(keyFile, "key");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using own = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  const path = Deno.env.get("PATH") ?? "";
  const program = await findProgram("cat", { path, cwd: folder.path });

  const { settings } = resolveSettings(
    inputs({ flags: { maildir: [maildir], transformer: ["cat"] } }),
  );
  using generation = await newGeneration({
    settings,
    listen: [{ hostname: "127.0.0.1", port: own.addr.port, reusePort: true }],
    path,
    folders: new MailFolderLocks(),
  });
  const worker = new Worker(new URL("./confined_worker.ts", import.meta.url).href, {
    type: "module",
    deno: { permissions: generation.permissions },
  });
  try {
    const grounds: Grounds = {
      maildir,
      port: own.addr.port,
      otherPort: taken.addr.port,
      outside,
      stateFile,
      keyFile,
      program,
    };
    const told = Promise.withResolvers<Record<string, [string, string][]>>();
    worker.onmessage = ({ data }): void => told.resolve(data);
    worker.onerror = (event): void => {
      event.preventDefault();
      told.reject(new Error(event.message));
    };
    worker.postMessage(grounds);
    const { forbidden = [], allowed = [] } = await within(told.promise, "the worker's report");
    assertEquals(allowed.filter(([, outcome]) => outcome !== "done"), []);
    assertEquals(forbidden.filter(([, outcome]) => outcome !== "refused"), []);
    assertEquals([forbidden.length > 25, allowed.length], [true, 5]);
  } finally {
    worker.terminate();
  }
  assertEquals(
    [await Deno.readTextFile(stateFile), await Deno.readTextFile(keyFile)],
    ["state", "key"],
  );
});
