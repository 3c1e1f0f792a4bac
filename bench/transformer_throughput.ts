// Measures how fast a message file goes through a program: file → cat → nowhere. `deno run -P=server bench/transformer_throughput.ts [MiB]`

import type { StoredMessage } from "../lib/mail/mail_store.ts";
import { LocalProcessGroups } from "../lib/transform/local_process_groups.ts";
import { ProgramTransformer } from "../lib/transform/program_transformer.ts";
import { Turnstile } from "../lib/transform/turnstile.ts";

const MIB = 1024 * 1024;

/** A file as a stored message. */
function fileMessage(path: string): StoredMessage {
  const file = Deno.openSync(path);
  const size = file.statSync().size;
  return {
    size,
    storedSize: size,
    verbatim: false,
    readSync: (into) => file.readSync(into),
    readable: file.readable,
    [Symbol.dispose]: () => file.close(),
  };
}

/** Reads the file alone, as a RETR without a transformer would, in chunks of 256 KiB. */
function plain(path: string): number {
  using message = fileMessage(path);
  const into = new Uint8Array(256 * 1024);
  let octets = 0;
  for (let n = message.readSync(into); n !== null; n = message.readSync(into)) octets += n;
  return octets;
}

async function throughCat(path: string, atMost: (rss: number) => void): Promise<number> {
  const transformer = new ProgramTransformer({
    command: ["/bin/cat"],
    path: "/usr/bin:/bin",
    turns: new Turnstile(1),
    groups: new LocalProcessGroups(),
    observe: () => {},
    timeout: () => 30_000,
    onFailure: "reject",
  });
  const body = await transformer.apply(() => Promise.resolve(fileMessage(path)), {
    user: "ada",
    uid: "1",
    client: "127.0.0.1",
    session: "s",
    signal: new AbortController().signal,
  });
  if (body.kind !== "stream") throw new Error("a stream was expected");
  let octets = 0;
  const reader = body.readable.getReader({ mode: "byob" });
  let buffer = new Uint8Array(64 * 1024);
  while (true) {
    const { value, done } = await reader.read(buffer);
    if (done) break;
    octets += value.length;
    buffer = new Uint8Array(value.buffer);
    if (octets % (16 * MIB) === 0) atMost(Deno.memoryUsage().rss);
  }
  await transformer.settled();
  return octets;
}

const size = Number(Deno.args[0] ?? 512) * MIB;
const folder = await Deno.makeTempDir();
try {
  const path = `${folder}/message`;
  using file = await Deno.create(path);
  const block = new Uint8Array(MIB).map((_, index) => index * 31 % 251);
  for (let written = 0; written < size; written += MIB) file.writeSync(block);
  // Warmed up, so that what is counted is what a run needs and not what code does.
  await throughCat(Deno.execPath(), () => {});
  const idle = Deno.memoryUsage().rss;
  let most = idle;
  for (let round = 0; round < 5; round++) {
    for (const [name, run] of [["read alone", plain], ["through cat", throughCat]] as const) {
      const start = performance.now();
      const octets = await run(path, (rss) => most = Math.max(most, rss));
      if (octets !== size) throw new Error(`${octets} of ${size} octets came`);
      const rate = size / 1000 / (performance.now() - start);
      // deno-lint-ignore no-console -- a benchmark's results are for the terminal
      console.log(`${name}: ${rate.toFixed(0)} MB/s`);
    }
  }
  // deno-lint-ignore no-console -- as above
  console.log(`memory: +${((most - idle) / 1e6).toFixed(1)} MB at most`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
