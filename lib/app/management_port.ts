/** Opens the management port, and says what is unwise about it. */

import type { Yielder } from "../async/yielder.ts";
import { isLoopback } from "../net/networks.ts";
import type { SecureContexts } from "../net/secure_contexts.ts";
import { logger } from "../log/logging.ts";
import { VERSION } from "../version.ts";
import { type ManagementOptions, openManagement } from "../admin/open_management.ts";
import type { Management } from "../contracts/management.ts";
import { PeepHost } from "../peep/server.ts";
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
  /** The port of PEEP, where `--peep-listen` asks for it. */
  readonly peep?: { readonly host: PeepHost; readonly addresses: readonly Deno.NetAddr[] };
}

/**
 * Opens the port at every address of `--admin-listen`; nobody is served before {@linkcode MsmpHost.start}.
 *
 * @throws {ListenError} when it cannot be opened
 */
export async function openManagementPort(options: ManagementPortOptions): Promise<ManagementPort> {
  const { registry, accounts, contexts, yielder } = options;
  const { adminListen, adminPort } = registry.settings;
  const management = openManagement(options);
  const host = new MsmpHost({
    management,
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
  const peep = openPeep(options, management);
  return peep === undefined ? { host, addresses } : { host, addresses, peep };
}

/** PEEP has no TLS; what that means is said. @throws {ListenError} when its port cannot be opened */
function openPeep(
  { registry, contexts, yielder }: ManagementPortOptions,
  management: Management,
): ManagementPort["peep"] {
  const { peepListen, peepPort, requireTls } = registry.settings;
  if (peepListen.length === 0) return undefined;
  if (requireTls) {
    log.warn(
      "--peep-listen is set, but PEEP has no TLS; its port stays closed under --require-tls",
    );
    return undefined;
  }
  const open = peepListen.filter((address) => !isLoopback(address));
  if (open.length > 0) {
    log.warn(
      "The PEEP port is open to other machines on {addresses} and has no TLS: passwords of administrators travel in clear",
      { addresses: open.join(", ") },
    );
  }
  const host = new PeepHost({
    management,
    settings: () => registry.settings,
    hasCertificate: contexts !== undefined,
    yielder,
  });
  return { host, addresses: host.listen(peepListen, peepPort) };
}
