/** Opens the state of a server, and says in the log what is unwise about it or goes wrong with it. */

import type { Settings } from "../contracts/settings.ts";
import { logger } from "../log/logging.ts";
import { type OpenState, openState } from "../state/open_state.ts";

const log = logger("server");

/** Opens the state, and waits for a database that is away. @throws {StateStoreError} */
export function openServerState(settings: Settings, newState: boolean): Promise<OpenState> {
  return openState({
    place: settings,
    node: settings.node,
    newState,
    onWait: (error) =>
      log.warn("Waiting up to {seconds} s for the database: {error}", {
        seconds: settings.stateWait,
        error,
      }),
    warn: (sentence) => log.warn("{sentence}", { sentence }),
    onTrouble: (error) =>
      log.error("The access log cannot be written, trying again: {error}", { error }),
    onRecovery: (lost) =>
      log.info("The access log can be written again; {lost} records were lost", { lost }),
  });
}
