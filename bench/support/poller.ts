/**
 * Sessions one after the other, so many at a time: `poller.ts JSON` with {@linkcode PollerTask}; writes {@linkcode PollerResult}. A process of its
 * own, one thread, no promises: what it takes, the server on the same machine has not.
 */

import { cpuUsage } from "node:process";
import { lines } from "./light_client.ts";
import { close, connectTo, Poll, read, write } from "./system_sockets.ts";

/** What is asked of the poller. */
export interface PollerTask {
  readonly port: number;
  readonly users: readonly string[];
  /** Sessions in all. */
  readonly sessions: number;
  readonly atOnce: number;
  /** Whether all commands leave together. */
  readonly pipelined: boolean;
}

/** What it took. */
export interface PollerResult {
  readonly seconds: number;
  /** Seconds of the poller's own processor time. */
  readonly processor: number;
}

/** What a session says, each when the answer to the one before has come whole. */
type Script = readonly { readonly say: Uint8Array<ArrayBuffer>; readonly answer: Answer }[];
type Answer = "line" | "lines" | "end";

const [STAT, LIST, QUIT] = ["STAT", "LIST", "QUIT"].map((command) => lines(command));
const PASS = lines("PASS pw");

function scriptOf(user: string, pipelined: boolean): Script {
  if (pipelined) {
    const train = lines(`USER ${user}`, "PASS pw", "STAT", "LIST", "QUIT");
    return [{ say: train, answer: "end" }];
  }
  return [
    { say: new Uint8Array(), answer: "line" },
    { say: lines(`USER ${user}`), answer: "line" },
    { say: PASS, answer: "line" },
    { say: STAT!, answer: "line" },
    { say: LIST!, answer: "lines" },
    { say: QUIT!, answer: "line" },
  ];
}

/** Where one session is. */
interface Session {
  readonly descriptor: number;
  readonly script: Script;
  step: number;
  /** Octets of the present answer. */
  octets: number;
}

/** Runs all sessions. */
function poll({ port, users, sessions, atOnce, pipelined }: PollerTask): PollerResult {
  const scripts = users.map((user) => scriptOf(user, pipelined));
  const waiting = new Poll(atOnce);
  const slots: (Session | undefined)[] = [];
  const buffer = new Uint8Array(1 << 14);
  let begun = 0;
  let ended = 0;
  const begin = (slot: number): void => {
    slots[slot] = undefined;
    waiting.watch(slot, -1);
    if (begun >= sessions) return;
    // A user's next session begins long after the last one: the mailbox is locked meanwhile.
    const script = scripts[begun++ % scripts.length]!;
    const descriptor = connectTo(port);
    slots[slot] = { descriptor, script, step: 0, octets: 0 };
    waiting.watch(slot, descriptor);
    say(slots[slot]);
  };
  const start = performance.now();
  const before = cpuUsage();
  for (let slot = 0; slot < atOnce; slot++) begin(slot);
  while (ended < sessions) {
    waiting.wait();
    for (let slot = 0; slot < atOnce; slot++) {
      const session = slots[slot];
      if (session === undefined || !waiting.ready(slot) || !hear(session, buffer)) continue;
      close(session.descriptor);
      ended++;
      begin(slot);
    }
  }
  const { user, system } = cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
}

function say({ descriptor, script, step }: Session): void {
  const { say } = script[step]!;
  if (say.length > 0) write(descriptor, say);
}

/** Reads, and says the next thing when the answer is whole. Returns whether the session is over. */
function hear(session: Session, buffer: Uint8Array<ArrayBuffer>): boolean {
  const { answer } = session.script[session.step]!;
  const octets = read(session.descriptor, buffer);
  if (octets > 0 && session.octets === 0 && buffer[0] !== 0x2b) {
    throw new Error(`Answered: ${new TextDecoder().decode(buffer.subarray(0, octets))}`);
  }
  session.octets += octets;
  if (octets === 0) {
    if (answer !== "end" || session.octets < 100) throw new Error("The server closed too early.");
    return true;
  }
  if (!isWhole(answer, buffer, octets)) return false;
  session.octets = 0;
  if (++session.step === session.script.length) return true;
  say(session);
  return false;
}

function isWhole(answer: Answer, buffer: Uint8Array, octets: number): boolean {
  if (answer === "end" || buffer[octets - 1] !== 10) return false;
  // Answers of several lines to few messages leave in one segment.
  return answer === "line" || (buffer[octets - 3] === 0x2e && buffer[octets - 4] === 10);
}

if (import.meta.main) {
  const result = poll(JSON.parse(Deno.args[0] ?? "{}"));
  // deno-lint-ignore no-console -- this is how its parent learns the result
  console.log(JSON.stringify(result));
}
