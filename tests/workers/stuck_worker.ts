/** A session worker that obeys nothing once it serves. */

import type { ToWorker } from "../../lib/workers/messages.ts";

const scope = globalThis as unknown as Worker;
scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "setup") scope.postMessage({ type: "listening" });
  if (data.type === "start") { for (;;); }
};
