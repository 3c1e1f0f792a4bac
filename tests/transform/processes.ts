/** What processes and descriptors there are, as the system tells it (Linux). */

/** One process. */
export interface Process {
  readonly pid: number;
  /** `Z` is a zombie. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
}

/** Every process of the machine. Deno does not let /proc be read without all permissions, so a shell reads it. */
export async function processes(): Promise<Process[]> {
  const text = await shell("cat /proc/[0-9]*/stat 2>/dev/null; true");
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [state = "", parent, group] = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return { pid: parseInt(line), state, parent: Number(parent), group: Number(group) };
  });
}

/** Those of the groups `pids` that are still there; a zombie whose parent is not this process is init's to bury. */
export async function leftOf(pids: readonly number[]): Promise<Process[]> {
  return (await processes()).filter((process) =>
    pids.includes(process.group) && (process.state !== "Z" || process.parent === Deno.pid)
  );
}

/**
 * How many descriptors this process has, counting those for the program that looks, but no sockets: the runtime makes two for itself
 * sooner or later, to hear of SIGCHLD, and keeps them.
 */
export async function descriptors(): Promise<number> {
  const script = `read -r go; ls -l /proc/${Deno.pid}/fd | grep -vc socket:`;
  const looking = new Deno.Command("/bin/sh", {
    args: ["-c", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = looking.output();
  // Told to look only now: while it was being started it could find fewer than there are afterwards.
  const writer = looking.stdin.getWriter();
  await writer.write(new TextEncoder().encode("go\n"));
  const { stdout } = await output;
  await writer.close();
  return Number(new TextDecoder().decode(stdout));
}

/** How far a process has read its standard input, which must be a file. */
export async function inputTaken(pid: number): Promise<number> {
  return Number((await shell(`cat /proc/${pid}/fdinfo/0`)).match(/^pos:\s+(\d+)$/m)?.[1]);
}

async function shell(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

/** The processes that any transformer runs, or left, for a user: found by the environment that they inherited, in whichever group. */
export async function runningFor(user: string): Promise<number[]> {
  const found = await shell(`grep -lazxs 'POSTERN_USER=${user}' /proc/[0-9]*/environ; true`);
  return found.split("\n").filter((line) => line !== "").map((path) => Number(path.split("/")[2]));
}

/** The children of a process that have ended and were not waited for. */
export async function zombiesOf(parent: number): Promise<Process[]> {
  return (await processes()).filter((one) => one.parent === parent && one.state === "Z");
}

/** The processes that a process has started and that it has not buried. */
export async function childrenOf(parent: number): Promise<number[]> {
  const text = await shell(`cat /proc/${parent}/task/*/children 2>/dev/null; true`);
  return text.trim().split(/\s+/).filter((word) => word !== "").map(Number);
}
