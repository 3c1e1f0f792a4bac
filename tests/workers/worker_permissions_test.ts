// The sandbox, tried from inside: what a worker with exactly a session worker's permissions can do, and cannot.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { MailFolderLocks } from "../../lib/mail/mail_folder_lock.ts";
import { mailPermissions, transformerPermissions } from "../../lib/workers/worker_permissions.ts";
import { newGeneration } from "../../lib/workers/generation.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { findProgram } from "../../lib/transform/find_program.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { within } from "../support/waiting.ts";
import { inputs } from "../settings/inputs.ts";
import type { Grounds } from "./confined_worker.ts";

const REACHES = {
  "session worker": "its ports and the mail folder, and nothing else",
  "thread for slow mailboxes": "the mail folder, and nothing else",
  "transformers' thread": "mail to read and the one program, and nothing else",
} as const;

for (const kind of Object.keys(REACHES) as (keyof typeof REACHES)[]) {
  Deno.test(`a ${kind} reaches ${REACHES[kind]}`, () => testReach(kind));
}

async function testReach(kind: Grounds["kind"]): Promise<void> {
  await using folder = await temporaryFolder();
  const maildir = join(folder.path, "mail");
  const outside = join(folder.path, "outside");
  await Deno.mkdir(maildir);
  await Deno.mkdir(outside);
  await Deno.writeTextFile(join(outside, "code.ts"), "export {};");
  const stateFile = join(folder.path, "postern.db");
  const keyFile = join(folder.path, "key.pem");
  await Deno.writeTextFile(stateFile, "state");
  using _state = await Deno.open(stateFile);
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
  const permissions = {
    "session worker": generation.permissions,
    "thread for slow mailboxes": mailPermissions([maildir]),
    "transformers' thread": transformerPermissions(maildir, program),
  }[kind];
  const worker = new Worker(new URL("./confined_worker.ts", import.meta.url).href, {
    type: "module",
    deno: { permissions },
  });
  try {
    const grounds: Grounds = {
      kind,
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
    assertEquals([forbidden.length > 25, allowed.length > 1], [true, true]);
  } finally {
    worker.terminate();
  }
  assertEquals(
    [await Deno.readTextFile(stateFile), await Deno.readTextFile(keyFile)],
    ["state", "key"],
  );
}
