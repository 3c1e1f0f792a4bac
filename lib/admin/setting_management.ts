/** Settings, as administrators see and change them. */

import {
  ManagementError,
  type SetOutcome,
  type SettingInfo,
  type SettingManagement,
} from "../contracts/management.ts";
import { logger } from "../log/logging.ts";
import {
  InvalidValueError,
  NotSettableError,
  SettingError,
  UnknownKeyError,
} from "../settings/errors.ts";
import type { LiveSettingsRegistry } from "../settings/live_settings.ts";
import { StateStoreError } from "../contracts/state_store.ts";

const log = logger("management");

/** Manages the settings in force. */
export class RegisteredSettings implements SettingManagement {
  readonly #registry: LiveSettingsRegistry;

  constructor(registry: LiveSettingsRegistry) {
    this.#registry = registry;
  }

  async set(key: string, value: string): Promise<SetOutcome> {
    try {
      const { change, warnings } = await this.#registry.set(key, value);
      for (const warning of warnings) log.warn(warning);
      return { kind: "changed", before: change.before, after: change.after, warnings };
    } catch (error) {
      return refusal(error);
    }
  }

  get(key: string): string | undefined {
    try {
      return this.#registry.get(key);
    } catch (error) {
      if (error instanceof UnknownKeyError) return undefined;
      throw error;
    }
  }

  list(): readonly SettingInfo[] {
    return this.#registry.entries();
  }
}

function refusal(error: unknown): SetOutcome {
  if (error instanceof UnknownKeyError || error instanceof NotSettableError) {
    return { kind: "invalid-key", reason: error.message };
  }
  if (error instanceof InvalidValueError) {
    return { kind: "invalid-value", reason: `expected ${error.expected}` };
  }
  if (error instanceof SettingError) return { kind: "invalid-value", reason: error.message };
  // The registry takes back what cannot be put in force.
  if (error instanceof StateStoreError || !(error instanceof Error)) throw error;
  log.error("Could not change a setting: {error}", { error });
  throw new ManagementError(`Setting not changed: ${error.message}`, { cause: error });
}
