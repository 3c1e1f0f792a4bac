/** The program with a fault in its main thread, half a second after its start: an error that nothing catches. */

import { main } from "../../lib/cli/main.ts";

const [kind, ...args] = Deno.args;
setTimeout(() => {
  if (kind === "rejected") void Promise.reject(new Error("a fault of the main thread"));
  else throw new Error("a fault of the main thread");
}, 500);
Deno.exit(await main(args));
