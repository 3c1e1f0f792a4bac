/** The real session worker, which dies when it is told to end a session: `kicked` in a promise, `refused` by a lie, else at once. */

import "../../lib/workers/thread/session_worker.ts";
import type { ToWorker } from "../../lib/workers/messages.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: unknown): void;
};
const obey = scope.onmessage;
scope.onmessage = (event): void => {
  if (event.data.type !== "close") obey(event);
  else if (event.data.reason === "kicked") void Promise.reject(new Error("nobody awaits it"));
  else if (event.data.reason === "refused") scope.postMessage({ type: "told" });
  else throw new Error("nothing catches it");
};
