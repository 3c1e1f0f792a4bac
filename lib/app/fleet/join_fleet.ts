/** Lets a server take part in what its database makes of several. */

import { createHash } from "node:crypto";
import type { Settings } from "../../contracts/settings.ts";
import type { Installation } from "../../contracts/state_store.ts";
import type { Observatory } from "../../observe/observatory.ts";
import type { PostgresState } from "../../state/postgres/postgres_state.ts";
import { VERSION } from "../../version.ts";
import { Fleet } from "./fleet.ts";
import { LastMinute } from "./last_minute.ts";

/**
 * Registers the server.
 *
 * @throws {StateStoreError} when another server has its name
 */
export function joinFleet(
  state: PostgresState,
  { node }: Settings,
  { counters, sessions }: Observatory,
  differs: ReadonlyMap<string, string>,
): Promise<Fleet> {
  const figures = { logins: "pop3.logins", octets: "pop3.bytes.sent" } as const;
  const minute = new LastMinute((name: keyof typeof figures) => counters.get(figures[name]) ?? 0, [
    "logins",
    "octets",
  ]);
  return Fleet.join({
    state,
    name: node,
    version: VERSION,
    figures: () => ({
      figures: { sessions: sessions.size, ...minute.take() },
      differs: [...differs.keys()],
    }),
    totals: (session) => {
      const view = sessions.get(session);
      if (view?.login === undefined) return undefined;
      const { deleted, retrieved: messages, retrievedOctets: octets } = view;
      return { messages, octets, deleted };
    },
  });
}

/** Names an installation without telling its secret. */
export async function installationId(installation: Installation): Promise<string> {
  const secret = await installation.secret();
  return createHash("sha256").update("installation\n").update(secret).digest("hex").slice(0, 32);
}
