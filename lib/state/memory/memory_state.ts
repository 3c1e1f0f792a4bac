/** The state in memory: forgotten when the process ends; the twin that tests run on. */

import type { LearnedKeys, LearnedKeysStore } from "../../contracts/user_source.ts";
import { MemoryAccounts } from "./accounts.ts";
import { MemoryAttempts } from "./attempts.ts";
import type { AttemptStore } from "../../contracts/attempt_store.ts";
import { MemoryAccessLog, MemoryCounters } from "./records.ts";
import type { AccessLog, CounterStore } from "../../contracts/record_store.ts";
import type {
  Installation,
  KeptRunning,
  SettingStore,
  StateStore,
  UserFieldStore,
} from "../../contracts/state_store.ts";

/** The state in memory. */
export class MemoryState implements StateStore {
  readonly users = new MemoryAccounts("user");
  readonly administrators = new MemoryAccounts("administrator");
  readonly learned: LearnedKeysStore = new MemoryLearnedKeys();
  readonly fields: UserFieldStore = new MemoryUserFields();
  readonly settings: SettingStore = new MemorySettings();
  readonly accesses: AccessLog = new MemoryAccessLog();
  readonly counters: CounterStore = new MemoryCounters();
  readonly attempts: AttemptStore;
  readonly installation: Installation = new MemoryInstallation();

  /** @param now milliseconds of a clock that goes on */
  constructor(now?: () => number) {
    this.attempts = new MemoryAttempts(now);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  /** Does nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

class MemorySettings implements SettingStore {
  readonly #values = new Map<string, string>();

  all(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#values));
  }

  set(key: string, value: string): Promise<void> {
    this.#values.set(key, value);
    return Promise.resolve();
  }

  delete(key: string): Promise<boolean> {
    return Promise.resolve(this.#values.delete(key));
  }
}

class MemoryUserFields implements UserFieldStore {
  readonly #fields = new Map<string, Map<string, string>>();

  find(name: string): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.#fields.get(name)));
  }

  set(name: string, field: string, value: string | undefined): Promise<void> {
    const fields = this.#fields.get(name) ?? new Map<string, string>();
    if (value === undefined) fields.delete(field);
    else fields.set(field, value);
    this.#fields.set(name, fields);
    return Promise.resolve();
  }

  forget(name: string): Promise<void> {
    this.#fields.delete(name);
    return Promise.resolve();
  }
}

class MemoryInstallation implements Installation {
  readonly #secret = crypto.getRandomValues(new Uint8Array(32));
  #sessions = 0;
  #running: KeptRunning | undefined;
  readonly #mailFolders = new Set<string>();

  secret(): Promise<Uint8Array> {
    return Promise.resolve(this.#secret);
  }

  reserveSessions(count: number): Promise<number> {
    const first = this.#sessions + 1;
    this.#sessions += count;
    return Promise.resolve(first);
  }

  mailFolders(): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(this.#mailFolders));
  }

  keepMailFolder(path: string): Promise<void> {
    this.#mailFolders.add(path);
    return Promise.resolve();
  }

  runningTime(): Promise<KeptRunning | undefined> {
    return Promise.resolve(this.#running);
  }

  keepRunningTime(kept: KeptRunning): Promise<void> {
    this.#running = kept;
    return Promise.resolve();
  }
}

class MemoryLearnedKeys implements LearnedKeysStore {
  readonly #keys = new Map<string, LearnedKeys>();

  async *list(): AsyncGenerator<LearnedKeys> {
    yield* this.#keys.values();
  }

  put(keys: LearnedKeys): Promise<void> {
    this.#keys.set(keys.name, keys);
    return Promise.resolve();
  }
}
