/** A thread that may run /bin/cat and read the file that it is named after, and nothing else: passes that through, and asks the main thread to end the group. */

import { openRegular } from "../../lib/mail/folder/regular_file.ts";
import { StoredFile } from "../../lib/mail/folder/stored_file.ts";
import type { ProcessGroups } from "../../lib/contracts/process_groups.ts";
import { ProgramTransformer } from "../../lib/transform/program_transformer.ts";
import { SpawnLock, spawnLockMemory } from "../../lib/transform/spawn_lock.ts";
import { Semaphore } from "../../lib/async/semaphore.ts";

/** What a dedicated worker has, and the checker's window library does not know. */
interface Thread {
  readonly name: string;
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent<number>) => void): void;
}

const thread = globalThis as unknown as Thread;
const waiting = new Map<number, () => void>();
thread.addEventListener("message", ({ data }) => waiting.get(data)?.());

const groups: ProcessGroups = {
  started: (pid) => thread.postMessage({ kind: "started", pid }),
  end: (pid) =>
    new Promise((resolve) => {
      waiting.set(pid, resolve);
      thread.postMessage({ kind: "end", pid });
    }),
};

const transformer = new ProgramTransformer({
  command: ["/bin/cat"],
  path: "/usr/bin:/bin",
  turns: new Semaphore(1),
  groups,
  spawnLock: new SpawnLock(spawnLockMemory(), 0),
  observe: () => {},
  timeout: () => 10_000,
  onFailure: "reject",
});

const { file, look: { size } } = openRegular(thread.name);
const message = new StoredFile({ file, size, storedSize: size, verbatim: false });
const body = await transformer.apply(() => Promise.resolve(message), {
  user: "ada",
  uid: "1",
  client: "127.0.0.1",
  session: "s",
  signal: new AbortController().signal,
});
if (body.kind !== "output") throw new Error("an output was expected");
let octets = 0;
while (octets < 1_000_000) {
  const part = await body.output.read(new Uint8Array(10_007));
  if (part.length === 0) throw new Error("the output ended early");
  octets += part.length;
}
body.output.cancel();
await transformer.settled();
thread.postMessage({ kind: "done", outcome: "read, cancelled, ended" });
