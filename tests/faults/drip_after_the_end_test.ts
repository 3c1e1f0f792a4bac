/** A client that the server had sent away could keep its place for days by sending an octet a second. */

import { assert } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

Deno.test("a client that is sent away and goes on dripping is closed within seconds", async () => {
  await using folder = await temporaryFolder();
  await using program = await startProgram({
    maildir: folder.path,
    flags: ["--max-bad-commands", "1"],
  });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: program.port() });
  await conn.write(new TextEncoder().encode("NONSENSE\r\n"));
  const begun = performance.now();
  let open = true;
  while (open && performance.now() - begun < 60_000) {
    // Real time is the attack; on a busy machine the drip is slower, and the minute as long.
    // Once the server has closed its socket, writing is refused.
    open = await conn.write(new Uint8Array(1)).then(() => true, () => false);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assert(!open, "the connection was still open after a minute");
});
