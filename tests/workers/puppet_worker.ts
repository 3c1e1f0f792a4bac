/** A worker in other hands: when it is told what has changed, it says that. */

import type { ToWorker } from "../../lib/workers/messages.ts";

const scope = globalThis as unknown as Worker;
scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "setup") scope.postMessage({ type: "listening" });
  else if (data.type === "tell") scope.postMessage({ type: "told" });
  else if (data.type === "state") {
    for (const message of data.state as unknown as Iterable<unknown>) scope.postMessage(message);
  }
};
