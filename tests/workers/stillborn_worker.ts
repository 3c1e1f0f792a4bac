/** A session worker that cannot start when it is not the first: as if it had no memory, or no port. */

import type { ToWorker } from "../../lib/workers/messages.ts";

const scope = globalThis as unknown as Worker;
scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type !== "setup") return;
  if (data.setup.sessionPrefix === "w1") scope.postMessage({ type: "listening" });
  else throw new Error("no memory");
};
