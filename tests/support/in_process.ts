/** A server in this process without a socket or a thread: the same parts as the program's, put together over memory. */

import { mailRoots } from "../../lib/mail/places/mail_roots.ts";
import { heldFoldersOf } from "./held_folders.ts";
import { parseServeArguments } from "../../lib/cli/serve_arguments.ts";
import { systemClock } from "../../lib/async/clock.ts";
import { countOn } from "../../lib/async/running_time.ts";
import { Yielder } from "../../lib/async/yielder.ts";
import { MemoryConnection } from "../../lib/net/memory_connection.ts";
import { openAccounts } from "../../lib/auth/accounts.ts";
import { LocalLoginService } from "../../lib/auth/local_login_service.ts";
import { LoginGuard } from "../../lib/auth/login_guard.ts";
import { SessionHost } from "../../lib/workers/thread/session_host.ts";
import { prepareNotes } from "../../lib/mail/places/served_mailboxes.ts";
import { storeFactory } from "../../lib/mail/open_mail_store.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { MemoryState } from "../../lib/state/memory/memory_state.ts";
import { NoTransformer } from "../../lib/transform/no_transformer.ts";
import { MemoryLocks } from "../../lib/locks/memory_locks.ts";
import { Pop3Client } from "./pop3_client.ts";
import { type ProgramOptions, serveArguments } from "./program.ts";

/** A server whose clients are in the same process. Disposing waits for its sessions to end. */
export interface InProcessServer extends AsyncDisposable {
  /** Connects; the greeting is not read. */
  connect(name?: string): Promise<Pop3Client>;
}

/** Puts a server together from the same arguments that the program would be started with. */
export async function startInProcess(options: ProgramOptions): Promise<InProcessServer> {
  const asked = parseServeArguments(serveArguments(options).slice(1));
  if (asked.kind !== "serve") throw new Error(`These arguments serve nothing: ${asked.kind}`);
  const { settings } = resolveSettings({
    flags: asked.flags,
    environment: { get: (name) => options.env?.[name] },
    machine: { hostName: "pop.example.org", cores: 1 },
  });
  await prepareNotes(settings.maildir);
  const state = new MemoryState();
  const accounts = await openAccounts({ state, settings });
  const storeOf = storeFactory({
    yielder: new Yielder(),
    running: countOn({ id: "0123456789abcdef", at: 1 }, systemClock),
    account: Deno.uid()!,
    held: heldFoldersOf,
    roots: mailRoots,
  });
  const loginService = new LocalLoginService({
    settings: () => settings,
    directory: accounts.users.directory,
    locks: new MemoryLocks(),
    guard: new LoginGuard(() => settings),
    bearer: false,
    observe: () => {},
  });
  let sessions = 0;
  const host = new SessionHost({
    loginService,
    store: storeOf,
    transformer: () => new NoTransformer(),
    newSession: () => String(++sessions),
  });
  const served = new Set<Promise<void>>();
  return {
    connect(name): Promise<Pop3Client> {
      const { client, server } = MemoryConnection.pair();
      const serving = host.serve(server).finally(() => served.delete(serving));
      served.add(serving);
      return Promise.resolve(new Pop3Client(client, name === undefined ? {} : { name }));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await host.shutdown(AbortSignal.abort());
      await Promise.all(served);
    },
  };
}
