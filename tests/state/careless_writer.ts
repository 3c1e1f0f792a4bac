// A program that a test lets end without closing its state file: by a call, or by having nothing left to do.

import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { account } from "../contracts/state_store_contract.ts";

const [path = "", how] = Deno.args;
const state = await SqliteState.open({ path });
await state.users.put(account("ann"), { revision: undefined });
if (how === "a call") Deno.exit(3);
