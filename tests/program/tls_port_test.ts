/** A TLS port that is asked for without a certificate. */

import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";

const WARNING =
  "--tls-port is set but there is no certificate; POP3S is disabled. Set --tls-cert and --tls-key";

Deno.test("a TLS port without a certificate stays closed, with one warning", async () => {
  await using folder = await temporaryFolder();
  for (const port of ["995", "0"]) {
    await using program = await startProgram({
      maildir: folder.path,
      flags: ["--tls-port", port],
    });
    const warnings = program.log.filter(({ message }) => message === WARNING);
    assertEquals(warnings.map(({ level }) => level), ["warning"], program.stderr);
    assert(!program.listeners.some(({ protocol }) => protocol === "pop3s"));
  }
});
