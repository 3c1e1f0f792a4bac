/** What the system says of a process: memory, processor time, children (Linux, proc(5)). */

const KIB = 1024;

/** Ticks a second of /proc's processor times: 100 on every Linux that runs Deno. */
const TICKS = 100;

/** Memory of a process in MB (10⁶ octets): now, and at most since its start or {@linkcode forgetPeak}. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

/** Memory that is resident, shared pages of the program file included. */
export function memoryOf(pid: number): Memory {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * KIB / 1e6;
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

/** Lets the peak begin again at what is resident now. */
export function forgetPeak(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Processor time of a process in seconds, all threads, user and system. */
export function processorSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The processes that a process started and that are still there, whichever thread of it did; zombies count. */
export function childrenOf(pid: number): number[] {
  const found: number[] = [];
  for (const { name: thread } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      const text = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/children`);
      found.push(...text.split(" ").filter((word) => word !== "").map(Number));
    } catch (error) {
      // The thread has ended since the folder was read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}
