/** The worker that finishes and checks copies of the state: reading one through takes up to seconds, and the event loop must not wait. */

import { type BackupContents, BackupError, finishCopy } from "./backup.ts";

/** What the worker is asked. */
export interface FinishQuestion {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
}

/** What the worker answers. */
export type FinishAnswer =
  | { readonly contents: BackupContents }
  | { readonly trouble: string };

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<FinishQuestion>) => void;
  postMessage(answer: FinishAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data: { path, name } }) => {
  try {
    scope.postMessage({ contents: finishCopy(path, name) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const text = error instanceof BackupError
      ? reason
      : `The backup ${name} could not be made: ${reason}`;
    scope.postMessage({ trouble: text });
  }
};
