/** A worker that ends itself, of which the runtime tells nobody. */

import type { ToWorker } from "../../lib/workers/messages.ts";

const scope = globalThis as unknown as Worker & { close(): void };
scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "setup") scope.postMessage({ type: "listening" });
  else if (data.type === "start") scope.close();
};
