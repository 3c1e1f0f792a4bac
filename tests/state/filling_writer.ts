// A program that a test runs where files may not grow: it writes until the state says that it cannot.

import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { StateStoreError } from "../../lib/contracts/state_store.ts";
import { account } from "../contracts/state_store_contract.ts";

const [path = ""] = Deno.args;
const state = await SqliteState.open({ path });
const encoder = new TextEncoder();
try {
  for (let n = 0;; n++) {
    await state.users.put(account(`u${n}`), { revision: undefined });
    Deno.stdout.writeSync(encoder.encode(`${n}\n`));
  }
} catch (error) {
  if (!(error instanceof StateStoreError)) throw error;
  const alive = await state.users.find("u0") ? "readable" : "unreadable";
  Deno.stdout.writeSync(encoder.encode(`${alive}\n${error.message}\n`));
  Deno.exit(3);
}
