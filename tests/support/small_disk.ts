/** A disk of a few megabytes of its own, for what happens when it is full; only root can have one. */

import { temporaryFolder } from "./mailboxes.ts";

/** A small file system. Disposing removes it. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Fills it to the last octet. */
  fill(): Promise<void>;
  /** Frees what {@linkcode SmallDisk.fill} took. */
  free(): Promise<void>;
}

/** Whether this process may mount file systems: tests say `ignore: !canMount`. */
export const canMount: boolean = await mountable();

/** Makes a file system in memory. @param octets how much it holds */
export async function smallDisk(octets: number): Promise<SmallDisk> {
  const folder = await temporaryFolder();
  const filling = `${folder.path}/filling`;
  await run("mount", "-t", "tmpfs", "-o", `size=${octets}`, "tmpfs", folder.path);
  return {
    path: folder.path,
    async fill(): Promise<void> {
      using file = await Deno.open(filling, { append: true, create: true });
      for (let chunk = 65_536; chunk >= 1;) {
        try {
          await file.write(new Uint8Array(chunk));
        } catch {
          chunk /= 2;
        }
      }
    },
    free: () => Deno.remove(filling),
    async [Symbol.asyncDispose](): Promise<void> {
      await run("umount", folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function mountable(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  try {
    await using _disk = await smallDisk(1024 * 1024);
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return false;
  }
}

async function run(command: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
}
