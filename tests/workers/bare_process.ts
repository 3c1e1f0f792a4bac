/** A process that starts a thread without permissions, lets it do one thing, and tells what came of it. */

import type { Deed } from "./bare_thread.ts";

const [what, folder] = Deno.args as [Deed["what"], string];
const worker = new Worker(new URL("./bare_thread.ts", import.meta.url), {
  type: "module",
  deno: {
    permissions: {
      net: false,
      read: [folder],
      write: false,
      run: false,
      env: false,
      ffi: false,
      sys: false,
      import: false,
    },
  },
});
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
// Nobody reads it here: it is the main thread's own connection.
await listener.accept();
worker.onmessage = async ({ data }: MessageEvent<string>) => {
  if (data === "listening to all") {
    await client.write(new TextEncoder().encode("a client's secret"));
    return;
  }
  Deno.stdout.writeSync(new TextEncoder().encode(`${data} in ${Deno.cwd()}\n`));
  Deno.exit(0);
};
worker.postMessage({ what, folder });
