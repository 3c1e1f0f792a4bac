// A program that a test kills: it changes a state file for ever and prints each change that was acknowledged.

import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { account } from "../contracts/state_store_contract.ts";

const [path = ""] = Deno.args;
await using state = await SqliteState.open({ path, flushAfter: 1 });
const encoder = new TextEncoder();
for (let n = 0;; n++) {
  await state.users.put(account(`u${n}`), { revision: undefined });
  await state.settings.set("timeout", String(n));
  const start = { at: n, user: "ann", address: "192.0.2.7", tls: undefined, mechanism: "PLAIN" };
  state.accesses.opened({ ...start, session: `s${n}` });
  Deno.stdout.writeSync(encoder.encode(`${n}\n`));
  if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
