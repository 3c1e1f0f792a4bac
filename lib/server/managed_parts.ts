/** Joins the management port, and what it can do, to the server's parts. */

import type { MailStore } from "../mail/mail_store.ts";
import type { ReloadOutcome } from "../msmp/management.ts";
import type { Logging } from "../observe/logging.ts";
import type { Observatory } from "../observe/observatory.ts";
import type { LiveSettingsRegistry } from "../settings/live_settings.ts";
import { loadConfig } from "../settings/load_config.ts";
import type { SettingInputs } from "../settings/resolve.ts";
import type { StateStore } from "../state/state_store.ts";
import type { Locks } from "../users/locks.ts";
import type { Accounts } from "./accounts.ts";
import type { CertificateKeeper } from "./certificate_keeper.ts";
import type { LoginGuard } from "./login_guard.ts";
import { type ManagementPort, openManagementPort } from "./management_port.ts";
import { reload } from "./management/reload.ts";
import type { Supervisor } from "./supervisor.ts";
import type { WorkerRefresher } from "./worker_refresher.ts";

/** The parts of a server that are managed. */
export interface ManagedParts {
  readonly options: { readonly inputs: SettingInputs; readonly logging: Logging };
  readonly registry: LiveSettingsRegistry;
  readonly state: StateStore;
  readonly accounts: Accounts;
  readonly certificates: CertificateKeeper | undefined;
  readonly observatory: Observatory;
  readonly guard: LoginGuard;
  readonly supervisor: Supervisor;
  readonly refresher: WorkerRefresher;
  readonly locks: Locks;
  readonly store: () => MailStore;
  /** Settled by SHUTDOWN. */
  readonly asked: PromiseWithResolvers<void>;
}

/**
 * Opens the management port over the server's parts; disposing the stack closes it.
 *
 * @throws {ListenError} when it cannot be opened
 */
export async function openManagementOf(
  parts: ManagedParts,
  stack: AsyncDisposableStack,
): Promise<ManagementPort> {
  const { accounts, asked, certificates, guard, locks, observatory, refresher, registry } = parts;
  const { state, store, supervisor } = parts;
  const management = await openManagementPort({
    registry,
    accounts,
    accesses: state.accesses,
    locks,
    store,
    observatory,
    guard,
    contexts: certificates?.contexts,
    closeSession: (id, reason) => supervisor.close(id, reason),
    changed: () => refresher.refresh(),
    life: {
      reload: () => reloadAll(parts),
      // Once the answer has left.
      shutdown: () => void setTimeout(asked.resolve, 0),
    },
  });
  stack.defer(() => management.host.close());
  return management;
}

/**
 * Reads again what is read from files.
 *
 * @throws {ManagementError} naming what is wrong, which stays as it was
 */
export function reloadAll(parts: ManagedParts): Promise<ReloadOutcome> {
  const { accounts, certificates, options, refresher, registry, supervisor } = parts;
  return reload({
    registry,
    config: () => loadConfig(options.inputs),
    users: accounts.file,
    certificates: certificates && (async () => {
      await certificates.reload();
      supervisor.renewCertificates();
    }),
    logging: options.logging,
    changed: () => refresher.refresh(),
  });
}
