// The thread that runs transformers: what it may do, what comes out of it, and what is left when it ends.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import type { MessageFile } from "../../lib/contracts/mail_store.ts";
import { findProgram } from "../../lib/transform/find_program.ts";
import { LocalProcessGroups } from "../../lib/transform/local_process_groups.ts";
import { CHUNK, ringMemory, RingReader } from "../../lib/transform/output_ring.ts";
import { spawnLockMemory } from "../../lib/transform/spawn_lock.ts";
import { splitWords } from "../../lib/transform/split_words.ts";
import type { RunEnd, RunFailure, RunOrder } from "../../lib/workers/transformer/messages.ts";
import { TransformerHandle } from "../../lib/workers/transformer/transformer_handle.ts";
import { transformerPermissions } from "../../lib/workers/worker_permissions.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { eventually, within } from "../support/waiting.ts";

const PATH = Deno.env.get("PATH") ?? "";

/** A thread with one program, and a mail folder with one message. */
class Bench implements AsyncDisposable {
  readonly groups = new LocalProcessGroups({ grace: 150 });
  readonly deaths: Error[] = [];
  readonly thread: TransformerHandle;
  readonly maildir: string;
  readonly #folder: AsyncDisposable;

  private constructor(
    command: [string, ...string[]],
    folder: { readonly path: string } & AsyncDisposable,
  ) {
    this.#folder = folder;
    this.maildir = folder.path;
    this.thread = new TransformerHandle({
      command,
      permissions: transformerPermissions(folder.path, command[0]),
      groups: this.groups,
      spawnLock: spawnLockMemory(),
      spawner: 0,
      died: (error) => void this.deaths.push(error),
    });
  }

  static async with(commandLine: string): Promise<Bench> {
    const [name, ...rest] = splitWords(commandLine);
    const folder = await temporaryFolder();
    return new Bench([await findProgram(name, { path: PATH, cwd: "/" }), ...rest], folder);
  }

  async message(octets: Uint8Array | string, name = "message"): Promise<MessageFile> {
    const path = join(this.maildir, name);
    await Deno.writeFile(
      path,
      typeof octets === "string" ? new TextEncoder().encode(octets) : octets,
    );
    const { dev, ino, size } = await Deno.stat(path);
    return { path, device: dev, inode: ino ?? 0, size };
  }

  run(file: MessageFile, order: Partial<RunOrder> = {}): Run {
    return new Run(this.thread, file, order);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thread[Symbol.dispose]();
    await eventually("no program being left", () => this.groups.running.size === 0);
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** One run, as whoever ordered it sees it. */
class Run {
  readonly end: (failure: RunFailure | undefined) => void;
  readonly ended: Promise<RunEnd>;
  pid: number | undefined;
  broken: RunFailure | undefined;
  readonly #reader: RingReader;

  constructor(thread: TransformerHandle, file: MessageFile, order: Partial<RunOrder>) {
    const ring = order.ring ?? ringMemory();
    const ended = Promise.withResolvers<RunEnd>();
    this.#reader = new RingReader(ring);
    this.ended = within(ended.promise, "the run's end");
    this.end = thread.start(
      { env: { PATH }, file, ring, timeout: 20_000, takeTimeout: 0, ...order },
      {
        started: (pid) => void (this.pid = pid),
        broken: (failure) => {
          this.broken = failure;
          this.#reader.break();
        },
        ended: ended.resolve,
      },
    );
  }

  /** Everything that comes, and how it ended. */
  async output(): Promise<
    { readonly octets: number; readonly text: string; readonly how: string }
  > {
    const into = new Uint8Array(CHUNK);
    let octets = 0;
    let text = "";
    for (;;) {
      const read = await within(this.#reader.read(into), "output");
      if (typeof read === "string") return { octets, text, how: read };
      octets += read;
      if (text.length < 10_000) text += new TextDecoder().decode(into.subarray(0, read));
    }
  }

  /** The next octets. */
  async some(): Promise<number | string> {
    return await within(this.#reader.read(new Uint8Array(CHUNK)), "output");
  }
}

Deno.test("a thread that may start cat and read the mail folder passes messages through it", async () => {
  await using bench = await Bench.with("cat");
  const small = bench.run(await bench.message("Subject: hello\r\n\r\n"));
  assertEquals(await small.output(), { octets: 18, text: "Subject: hello\r\n\r\n", how: "whole" });
  const large = bench.run(await bench.message(new Uint8Array(5_000_000).fill(0x61), "large"));
  const { octets, how } = await large.output();
  assertEquals([octets, how], [5_000_000, "whole"]);
  for (const run of [small, large]) assertEquals((await run.ended).failure, undefined);
  const empty = bench.run(await bench.message("", "empty"));
  assertEquals((await empty.output()).how, "whole");
});

Deno.test("the memory of a run that ended with its ring full serves the next run", async () => {
  await using bench = await Bench.with("cat");
  const large = await bench.message(new Uint8Array(1_000_000).fill(0x61), "large");
  const other = await bench.message(new Uint8Array(600_000).fill(0x62), "other");
  const ring = ringMemory();
  for (let turn = 0; turn < 5; turn++) {
    const left = bench.run(large, { ring });
    assertEquals(await left.some(), CHUNK);
    left.end({ reason: "cancelled", message: "Its client has left" });
    assertEquals((await left.ended).failure?.reason, "cancelled");
    // Whoever still waited for room for the first run would take the second one's, or end it.
    const next = bench.run(other, { ring });
    const { octets, how, text } = await next.output();
    assertEquals([octets, how, text.includes("a")], [600_000, "whole", false]);
    assertEquals((await next.ended).failure, undefined);
  }
});

Deno.test("a program of the thread sees its environment, and nothing else", async () => {
  await using bench = await Bench.with("env");
  const env = { PATH, POSTERN_USER: "ada", POSTERN_UIDL: "1", POSTERN_CLIENT: "192.0.2.7" };
  const run = bench.run(await bench.message("x"), { env });
  const { text } = await run.output();
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  assertEquals(text.trim().split("\n").sort(), lines.sort());
});

Deno.test("files beyond the mail folder, and names that stand for others, are given to no program", async () => {
  await using bench = await Bench.with("cat");
  const file = await bench.message("one");
  const outside = await Deno.makeTempFile();
  try {
    const { dev, ino, size } = await Deno.stat(outside);
    const foreign = bench.run({ path: outside, device: dev, inode: ino ?? 0, size });
    assertEquals((await foreign.output()).how, "broken");
    assertMatch((await foreign.ended).failure?.message ?? "", /Requires read access/);
    await Deno.remove(file.path);
    await Deno.symlink(outside, file.path);
    const linked = bench.run(file);
    assertEquals((await linked.output()).how, "broken");
    assert(["moved", "internal"].includes((await linked.ended).failure!.reason));
    await Deno.remove(file.path);
    const gone = bench.run(file);
    assertEquals((await gone.ended).failure?.reason, "moved");
    assertEquals([foreign.pid, linked.pid, gone.pid], [undefined, undefined, undefined]);
  } finally {
    await Deno.remove(outside);
  }
});

Deno.test("a program that fails breaks its output, and says why", async () => {
  await using bench = await Bench.with("sh -c 'echo begun; echo sorry >&2; exit 3'");
  const run = bench.run(await bench.message("one"));
  const { text, how } = await run.output();
  assertEquals([text, how], ["begun\n", "broken"]);
  const { failure, stderrTail } = await run.ended;
  assertEquals([failure?.reason, stderrTail], ["exit-status", "sorry"]);
});

Deno.test("a message that was cut or lengthened while it was read is not whole", async () => {
  await using bench = await Bench.with("sh -c 'cat; echo read >&2; sleep 0.05'");
  const file = await bench.message("one");
  const run = bench.run({ ...file, size: 4 });
  assertEquals((await run.output()).how, "broken");
  assertEquals((await run.ended).failure?.reason, "input");
});

Deno.test("a run that is ended takes its whole process group with it", async () => {
  await using bench = await Bench.with("sh -c 'sleep 600 & echo begun; wait'");
  const run = bench.run(await bench.message("one"));
  assertEquals(await run.some(), 6);
  run.end({ reason: "cancelled", message: "the session ended" });
  assertEquals((await run.ended).failure?.reason, "cancelled");
  assertEquals(bench.groups.running.size, 0);
});

Deno.test("a program is silent for too long only while its output is waited for", async () => {
  await using bench = await Bench.with("sh -c 'head -c 1000000 /dev/zero; exec sleep 600'");
  const run = bench.run(await bench.message("one"), { timeout: 300 });
  let octets = 0;
  while (octets < 1_000_000) octets += await run.some() as number;
  assertEquals(await run.some(), "broken");
  assertEquals((await run.ended).failure?.reason, "timeout");
});

Deno.test("output that nobody takes is not kept for ever", async () => {
  await using bench = await Bench.with("cat");
  const file = await bench.message(new Uint8Array(5_000_000), "large");
  const run = bench.run(file, { takeTimeout: 50 });
  assertEquals((await run.ended).failure?.reason, "cancelled");
});

Deno.test("when the thread ends, its runs break, and no program is left", async () => {
  await using bench = await Bench.with("sh -c 'echo begun; exec sleep 600'");
  const run = bench.run(await bench.message("one"));
  assertEquals(await run.some(), 6);
  bench.thread[Symbol.dispose]();
  assertEquals((await run.output()).how, "broken");
  const late = bench.run(await bench.message("two", "late"));
  assertEquals([(await late.output()).how, bench.deaths], ["broken", []]);
});
