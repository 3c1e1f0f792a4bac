/** Notes of the access log that came without a pause put their own writing off for ever. */

import { assert } from "@std/assert";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";

Deno.test("access notes that never cease reach the disk all the same", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/postern.db`;
    await using state = await SqliteState.open({ path, flushAfter: 30 });
    const written = (): number => Deno.statSync(`${path}-wal`).size;
    const before = written();
    let noted = 0;
    while (written() === before && noted < 500) {
      state.accesses.opened({
        session: `s${noted++}`,
        at: Date.now(),
        user: "alice",
        address: "192.0.2.7",
        tls: undefined,
        mechanism: "USER",
      });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert(written() > before, `${noted} notes were not written`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
