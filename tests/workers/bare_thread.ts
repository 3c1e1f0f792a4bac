/** The program of a thread without any permission, which does one thing that the runtime lets every thread do. */

import { Socket } from "node:net";
import process from "node:process";

/** What to do. */
export interface Deed {
  readonly what: "write" | "change folder" | "adopt" | "end";
  readonly folder: string;
}

const scope = globalThis as unknown as Worker;
scope.onmessage = async ({ data }: MessageEvent<Deed>) => {
  scope.postMessage(await outcome(data));
};

async function outcome({ what, folder }: Deed): Promise<string> {
  try {
    switch (what) {
      case "write":
        Deno.stderr.writeSync(new TextEncoder().encode("a line of a thread without permissions\n"));
        return "written";
      case "change folder":
        Deno.chdir(folder);
        return "changed";
      case "adopt":
        return await adopt();
      case "end":
        process.kill(process.pid, "SIGTERM");
        return "ended";
    }
  } catch (error) {
    return String(error);
  }
}

/** Reads the first words that come on any socket of the process. */
function adopt(): Promise<string> {
  return new Promise((resolve) => {
    for (let fd = 3; fd < 256; fd++) {
      try {
        const socket = new Socket({ fd, readable: true });
        socket.on("error", () => {});
        socket.on("data", (octets) => resolve(`read ${octets}`));
      } catch {
        // Not every number is a socket's.
      }
    }
    scope.postMessage("listening to all");
  });
}
