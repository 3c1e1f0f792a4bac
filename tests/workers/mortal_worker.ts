/** The real session worker, and a way to die: it does so when it is told to end a session, by `kicked` in a promise, else at once. */

import "../../lib/workers/thread/session_worker.ts";
import type { ToWorker } from "../../lib/workers/messages.ts";

const scope = globalThis as unknown as { onmessage: (event: MessageEvent<ToWorker>) => void };
const obey = scope.onmessage;
scope.onmessage = (event): void => {
  if (event.data.type !== "close") obey(event);
  else if (event.data.reason === "kicked") void Promise.reject(new Error("nobody awaits it"));
  else throw new Error("nothing catches it");
};
