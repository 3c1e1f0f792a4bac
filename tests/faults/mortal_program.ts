/** The program with a session worker that dies of an error whenever SIGUSR2 comes. */

import { main } from "../../lib/cli/main.ts";

const workers: Worker[] = [];
const Real = globalThis.Worker;
globalThis.Worker = class extends Real {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    if (String(args[0]).includes("session_worker")) workers.push(this);
  }
};
Deno.addSignalListener("SIGUSR2", () => {
  const message = "killed by a test";
  workers.shift()?.dispatchEvent(new ErrorEvent("error", { message, cancelable: true }));
});
Deno.exit(await main(Deno.args));
