// Locks in memory do what all locks must.

import { MemoryLocks } from "../../lib/locks/memory_locks.ts";
import { locksContract } from "../contracts/locks_contract.ts";

locksContract("memory locks", () =>
  Promise.resolve({
    locks: new MemoryLocks(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));
