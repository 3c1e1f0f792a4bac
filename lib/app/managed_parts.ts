/** Joins the management port, and what it can do, to the server's parts. */

import type { ReloadOutcome } from "../contracts/management.ts";
import { loadConfig } from "../settings/load_config.ts";
import { type ManagementPort, openManagementPort } from "./management_port.ts";
import type { Parts } from "./parts.ts";
import { reload } from "../admin/reload.ts";

/** The parts of a server that are managed. */
type ManagedParts = Pick<
  Parts,
  | "options"
  | "registry"
  | "state"
  | "accounts"
  | "certificates"
  | "observatory"
  | "guard"
  | "supervisor"
  | "refresher"
  | "locks"
  | "store"
  | "yielder"
  | "asked"
>;

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
  const { state, store, supervisor, yielder } = parts;
  const management = await openManagementPort({
    registry,
    accounts,
    accesses: state.accesses,
    locks,
    store,
    observatory,
    guard,
    contexts: certificates?.contexts,
    yielder,
    closeSession: (id, reason) => supervisor.close(id, reason),
    changed: () => refresher.refresh(),
    caughtUp: () => supervisor.caughtUp(),
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
