// The state in memory does what every state store must.

import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { stateStoreContract } from "../contracts/state_store_contract.ts";

stateStoreContract("memory state", ({ now }) => Promise.resolve(new MemoryState(now)));
