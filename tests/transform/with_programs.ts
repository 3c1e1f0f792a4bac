/** A place to run transformers in: everything real but the messages, swept and looked over afterwards. */

import { assertEquals } from "@std/assert";
import type { ServerEvent } from "../../lib/contracts/event.ts";
import { findProgram } from "../../lib/transform/find_program.ts";
import { LocalProcessGroups } from "../../lib/transform/local_process_groups.ts";
import { ProgramTransformer } from "../../lib/transform/program_transformer.ts";
import { SpawnLock, spawnLockMemory } from "../../lib/transform/spawn_lock.ts";
import { splitWords } from "../../lib/transform/split_words.ts";
import type { MessageBody, MessageOutput } from "../../lib/contracts/transformer.ts";
import { Semaphore } from "../../lib/async/semaphore.ts";
import { FakeMessage } from "./messages.ts";
import { LocalPrograms } from "./local_programs.ts";
import { descriptors, leftOf } from "./processes.ts";
import { eventually } from "../support/waiting.ts";

/** What a test may set. */
export interface WorkshopOptions {
  /** Milliseconds, or those of a command line. @default 20000 */
  readonly timeout?: number | ((commandLine: string) => number);
  readonly limit?: number;
  readonly onFailure?: "reject" | "bypass";
  readonly user?: string;
}

/** What a test works with. */
export interface Workshop {
  /** Passes a message through a command line. */
  apply(commandLine: string, message: FakeMessage | string): Promise<MessageBody>;
  /** The session's end. */
  readonly client: AbortController;
  readonly events: ServerEvent[];
  readonly semaphore: Semaphore;
}

type Ended = Extract<ServerEvent, { type: "transformer-ended" }>;

/** Whether an event tells the end of a run. */
export function ended(event: ServerEvent): event is Ended {
  return event.type === "transformer-ended";
}

/** The program's output of a body that must be one. */
export function outputOf(body: MessageBody): MessageOutput {
  if (body.kind !== "output") throw new Error("an output was expected, not the stored message");
  return body.output;
}

/** The next octets of an output; none at its end. */
export async function next(output: MessageOutput): Promise<Uint8Array<ArrayBuffer>> {
  return await output.read(new Uint8Array(10_000));
}

/** All octets of a body's output. */
export async function octets(body: MessageBody): Promise<Uint8Array<ArrayBuffer>> {
  const output = outputOf(body);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let part; (part = await next(output)).length > 0;) parts.push(part);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The same as text. */
export async function text(body: MessageBody): Promise<string> {
  return new TextDecoder().decode(await octets(body));
}

function timeoutOf({ timeout = 20_000 }: WorkshopOptions, commandLine: string): number {
  return typeof timeout === "number" ? timeout : timeout(commandLine);
}

/** Runs `test`, then makes sure that no turn, no process, no descriptor and no listener is left. */
export async function withPrograms(
  options: WorkshopOptions,
  test: (workshop: Workshop) => Promise<void>,
): Promise<void> {
  const before = await descriptors();
  const events: ServerEvent[] = [];
  const client = new AbortController();
  const semaphore = new Semaphore(options.limit ?? 4);
  const groups = new LocalProcessGroups({ grace: 150 });
  const spawnLock = new SpawnLock(spawnLockMemory(), 0);
  const path = Deno.env.get("PATH") ?? "";
  const made: ProgramTransformer[] = [];
  await test({
    client,
    events,
    semaphore,
    async apply(commandLine, given): Promise<MessageBody> {
      const [name, ...rest] = splitWords(commandLine);
      const program = name.includes("/") ? name : await findProgram(name, { path, cwd: "/" });
      const programs = new LocalPrograms({
        command: [program, ...rest],
        path,
        turns: semaphore,
        groups,
        spawnLock,
        observe: (event) => events.push(event),
        timeout: timeoutOf(options, commandLine),
      });
      const { onFailure = "reject" } = options;
      const transformer = new ProgramTransformer({ programs, onFailure });
      made.push(transformer);
      let first = typeof given === "string" ? new FakeMessage(given) : given;
      const open = (): Promise<FakeMessage> => {
        const message = first;
        // Opened again, it is as it was.
        if (typeof given === "string") first = new FakeMessage(given);
        return Promise.resolve(message);
      };
      return await transformer.apply(open, {
        user: options.user ?? "ada",
        uid: "uid.1",
        client: "192.0.2.7",
        session: "s1",
        signal: client.signal,
      });
    },
  });
  await Promise.all(made.map((transformer) => transformer.settled()));
  assertEquals([semaphore.running, semaphore.waiting, groups.running.size], [0, 0, 0]);
  const pids = events.flatMap((e) => e.type === "transformer-started" ? [e.pid] : []);
  await eventually("every process is gone", async () => (await leftOf(pids)).length === 0);
  await eventually("every descriptor is closed", async () => await descriptors() <= before);
}
