/** Joins the management port, and what it can do, to the server's parts. */

import { dirname } from "node:path";
import { StateBackups } from "../admin/backup_management.ts";
import { ManagementError, type ReloadOutcome } from "../contracts/management.ts";
import type { Settings } from "../contracts/settings.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { finishOnThread } from "../state/backup_thread.ts";
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
  | "backupSource"
  | "fleet"
  | "accounts"
  | "certificates"
  | "observatory"
  | "traces"
  | "accessFile"
  | "guards"
  | "supervisor"
  | "refresher"
  | "locks"
  | "store"
  | "trash"
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
  const { accounts, asked, certificates, guards, locks, observatory, refresher, registry } = parts;
  const { backupSource, state, store, supervisor, yielder } = parts;
  const backups = new StateBackups({
    source: backupSource,
    folder: () => backupFolder(registry.settings),
    finish: finishOnThread,
  });
  const life = {
    reload: (): Promise<ReloadOutcome> => reloadAll(parts),
    // Once the answer has left.
    shutdown: (): void => void setTimeout(asked.resolve, 0),
  };
  const management = await openManagementPort({
    registry,
    accounts,
    accesses: state.accesses,
    fields: state.fields,
    trash: parts.trash,
    locks,
    store,
    observatory,
    guards,
    contexts: certificates?.contexts,
    yielder,
    closeSession: (id, reason) => supervisor.close(id, reason),
    changed: () => refresher.refresh(),
    caughtUp: () => supervisor.caughtUp(),
    backups,
    traces: parts.traces,
    life,
    fleet: parts.fleet?.manage(observatory, life),
  });
  stack.use(backups);
  stack.defer(async () => {
    await management.peep?.host.close();
    await management.host.close();
  });
  return management;
}

/** Where backups are kept: beside the state, unless `--backup-dir` says otherwise. @throws {ManagementError} */
function backupFolder({ backupDir, state }: Settings): string {
  if (state === ":memory:") {
    throw new ManagementError(
      "The state is in memory (--state :memory:): there is nothing to back up",
    );
  }
  try {
    return Deno.realPathSync(backupDir ?? dirname(Deno.realPathSync(state)));
  } catch (error) {
    const text = `The folder of backups ${backupDir ?? dirname(state)} cannot be used: ` +
      fileErrorReason(error);
    throw new ManagementError(text, { cause: error });
  }
}

/**
 * Reads again what is read from files.
 *
 * @throws {ManagementError} naming what is wrong, which stays as it was
 */
export function reloadAll(parts: ManagedParts): Promise<ReloadOutcome> {
  const { accessFile, accounts, certificates, options, refresher, registry, supervisor } = parts;
  return reload({
    registry,
    config: () => loadConfig(options.inputs),
    users: accounts.file,
    certificates: certificates && (async () => {
      await certificates.reload();
      supervisor.renewCertificates();
    }),
    logging: {
      reopen: () => {
        options.logging.reopen();
        accessFile?.reopen();
      },
    },
    changed: () => refresher.refresh(),
  });
}
