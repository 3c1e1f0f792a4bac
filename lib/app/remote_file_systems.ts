/** Knows which devices are file systems of other machines. */

import { readMounts } from "../files/mounts.ts";
import type { KernelFiles } from "./kernel_files.ts";

/**
 * Makes what tells. The table of mounts is read again for each device that it did not know: it may be mounted since.
 *
 * @returns whether a device is remote; false where the kernel does not tell
 */
export function remoteFileSystems(read: KernelFiles): (device: number) => Promise<boolean> {
  const known = new Map<number, boolean>();
  let reading: Promise<void> | undefined;
  const readAll = async (): Promise<void> => {
    const table = await read("/proc/self/mountinfo");
    for (const [device, isRemote] of readMounts(table ?? "")) known.set(device, isRemote);
  };
  return async (device) => {
    if (!known.has(device)) await (reading ??= readAll().finally(() => reading = undefined));
    return known.get(device) ?? false;
  };
}
