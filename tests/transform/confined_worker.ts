/** A thread that may run /bin/cat and nothing else: passes a message through it, and asks the main thread to end the group. */

import type { ProcessGroups } from "../../lib/transform/process_groups.ts";
import { ProgramTransformer } from "../../lib/transform/program_transformer.ts";
import { Turnstile } from "../../lib/transform/turnstile.ts";
import { FakeMessage } from "./messages.ts";

/** What a dedicated worker has, and the checker's window library does not know. */
interface Thread {
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
  turns: new Turnstile(1),
  groups,
  observe: () => {},
  timeout: () => 10_000,
  onFailure: "reject",
});

const body = await transformer.apply(() => Promise.resolve(new FakeMessage(5_000_000)), {
  user: "ada",
  uid: "1",
  client: "127.0.0.1",
  session: "s",
  signal: new AbortController().signal,
});
if (body.kind !== "stream") throw new Error("a stream was expected");
const reader = body.readable.getReader({ mode: "byob" });
let octets = 0;
while (octets < 1_000_000) {
  const { value } = await reader.read(new Uint8Array(Math.min(10_007, 1_000_000 - octets)));
  if (value === undefined) throw new Error("the output ended early");
  octets += value.length;
}
await reader.cancel();
await transformer.settled();
thread.postMessage({ kind: "done", outcome: `${octets} octets, cancelled, ended` });
