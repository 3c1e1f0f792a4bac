/** Opens the management port, and says what is unwise about it. */

import type { Yielder } from "../async/yielder.ts";
import { isLoopback } from "../net/networks.ts";
import type { SecureContexts } from "../net/secure_contexts.ts";
import { logger } from "../log/logging.ts";
import { VERSION } from "../version.ts";
import { type ManagementOptions, openManagement } from "../admin/open_management.ts";
import { MsmpHost } from "../msmp/server.ts";

const log = logger("msmp");

/** What the management port is opened with. */
export interface ManagementPortOptions extends ManagementOptions {
  /** Certificates for STLS, where there are any. */
  readonly contexts: SecureContexts | undefined;
  /** Of the thread. */
  readonly yielder: Yielder;
}

/** An open management port. */
export interface ManagementPort {
  readonly host: MsmpHost;
  readonly addresses: readonly Deno.NetAddr[];
}

/**
 * Opens the port at every address of `--admin-listen`; nobody is served before {@linkcode MsmpHost.start}.
 *
 * @throws {ListenError} when it cannot be opened
 */
export async function openManagementPort(options: ManagementPortOptions): Promise<ManagementPort> {
  const { registry, accounts, contexts, yielder } = options;
  const { adminListen, adminPort } = registry.settings;
  const host = new MsmpHost({
    management: openManagement(options),
    settings: () => registry.settings,
    version: VERSION,
    contexts,
    yielder,
  });
  const addresses = host.listen(adminListen, adminPort);
  if (await accounts.administrators.register.count() === 0) {
    log.warn(
      "There is no administrator: nobody can log in to the management port; make one with -a NAME:PASS",
    );
  }
  const open = adminListen.filter((address) => !isLoopback(address));
  if (open.length > 0 && contexts === undefined) {
    log.warn(
      "The management port is open to other machines on {addresses} and there is no certificate: passwords of " +
        "administrators travel in clear; give --tls-cert and --tls-key, or leave -L out",
      { addresses: open.join(", ") },
    );
  }
  return { host, addresses };
}
