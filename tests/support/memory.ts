/** What memory a process takes, as the kernel counts it. */

/** A process's memory in MiB. */
export interface Memory {
  /** Resident now (VmRSS). */
  readonly now: number;
  /** The most that was resident since it started (VmHWM). */
  readonly peak: number;
}

/** Reads it by a program, since tests may not read /proc. @throws {Error} when there is no such process */
export async function memoryOf(pid: number): Promise<Memory> {
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/status`],
    stdout: "piped",
  }).output();
  const status = new TextDecoder().decode(stdout);
  const read = (name: string): number => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
    if (kib === undefined) throw new Error("The program's memory cannot be read: is it running?");
    return Number(kib) / 1024;
  };
  return { now: read("VmRSS"), peak: read("VmHWM") };
}
