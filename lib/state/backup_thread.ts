/** Finishes and checks a copy of the state on a thread of its own. */

import { dirname } from "node:path";
import { type BackupContents, BackupError } from "./backup.ts";
import type { FinishAnswer, FinishQuestion } from "./backup_worker.ts";

/**
 * Does what {@linkcode finishCopy} does, while the event loop goes on. The thread can reach the copy's folder alone.
 *
 * @throws {BackupError} when the copy is not what was written, or cannot be used
 */
export async function finishOnThread(path: string, name: string): Promise<BackupContents> {
  const folder = Deno.realPathSync(dirname(path));
  const worker = new Worker(new URL("./backup_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: { read: [folder], write: [folder] } },
  });
  const { promise, resolve, reject } = Promise.withResolvers<BackupContents>();
  worker.onmessage = ({ data }: MessageEvent<FinishAnswer>) =>
    "contents" in data ? resolve(data.contents) : reject(new BackupError(data.trouble));
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new BackupError(`The backup ${name} could not be checked: ${event.message}`));
  };
  worker.postMessage({ path, name } satisfies FinishQuestion);
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}
