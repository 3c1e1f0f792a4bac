/** What this server does when another one says something. */

import type { AccountKind } from "../../contracts/account_store.ts";
import { logger } from "../../log/logging.ts";
import type { KeptBans } from "../../auth/guard/kept_bans.ts";
import type { Parts } from "../parts.ts";
import type { Fleet } from "./fleet.ts";

const log = logger("fleet");

/** What a server hears with. */
export interface HearingOptions {
  readonly parts: Pick<
    Parts,
    | "accounts"
    | "guards"
    | "management"
    | "refresher"
    | "registry"
    | "state"
    | "supervisor"
    | "asked"
  >;
  readonly fleet: Fleet;
  readonly bans: KeptBans;
  readonly reload: () => Promise<unknown>;
  /** Settings that this server could not take, by key; filled here. */
  readonly differs: Map<string, string>;
}

/** Hears what other servers say from now on. */
export async function hearOthers(options: HearingOptions): Promise<void> {
  const { bans, differs, fleet, parts, reload } = options;
  const { accounts, asked, guards, management, refresher, registry, state, supervisor } = parts;
  const isMeant = (body: string): boolean => body === "*" || body === fleet.name;
  await fleet.hear({
    async accounts(body): Promise<void> {
      const [kind, ...names] = body === "" ? [] : JSON.parse(body) as [AccountKind, ...string[]];
      for (const each of ["user", "administrator"] as const) {
        if (kind !== undefined && kind !== each) continue;
        const { register } = each === "user" ? accounts.users : accounts.administrators;
        if (names.length === 0) await register.changed();
        for (const name of names) await register.changedElsewhere(name);
        if (each === "administrator") { for (const name of names) management?.host.dismiss(name); }
      }
      refresher.refresh();
    },
    async settings(): Promise<void> {
      const refused = await registry.adopt(await state.settings.all());
      for (const key of differs.keys()) if (!refused.has(key)) differs.delete(key);
      for (const [key, reason] of refused) {
        if (differs.get(key) !== reason) {
          log.error(
            "This server keeps its own {key}, since it cannot take the one that was set: {reason}",
            {
              key,
              reason,
            },
          );
        }
        differs.set(key, reason);
      }
    },
    async bans(): Promise<void> {
      await bans.load(guards);
      refresher.refresh();
    },
    kick(body): void {
      supervisor.close(body, "kicked");
    },
    async reload(body, from): Promise<void> {
      if (!isMeant(body)) return;
      log.info("Reloading, as an administrator of {from} asks", { from });
      await reload();
    },
    shutdown(body, from): void {
      if (!isMeant(body)) return;
      log.info("Shutting down, as an administrator of {from} asks", { from });
      asked.resolve();
    },
  });
}
