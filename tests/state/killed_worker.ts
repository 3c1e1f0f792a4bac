// A program that a test kills while it changes, brings forward, backs up or restores a state file; it prints what is done.

import { BackupError, makeBackup } from "../../lib/state/backup.ts";
import { restoreBackup } from "../../lib/state/restore.ts";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { account } from "../contracts/state_store_contract.ts";

const [kind, path = "", folder = ""] = Deno.args;
const encoder = new TextEncoder();
const say = (line: string): void => void Deno.stdout.writeSync(encoder.encode(`${line}\n`));

say("begin");
if (kind === "restore") {
  for (let turn = 0;; turn++) {
    const { users } = restoreBackup(`${folder}/${turn % 2}.backup`, path);
    say(String(users));
  }
}
const state = await SqliteState.open({ path });
say("opened");
const names = await Array.fromAsync(state.users.list());
// One that a kill kept from being deleted again.
for (const name of names) if (name.startsWith("v")) await state.users.delete(name);
for (let n = names.filter((name) => name.startsWith("u")).length;; n++) {
  await state.users.put(account(`u${n}`), { revision: undefined });
  await state.settings.set("timeout", String(n));
  const start = { at: n, user: "ann", address: "192.0.2.7", tls: undefined, mechanism: "PLAIN" };
  state.accesses.opened({ ...start, session: `s${n}` });
  if (kind === "backup") {
    const backup = makeBackup({ source: state, folder, name: `${n}.backup` });
    await state.users.put(account(`v${n}`), { revision: undefined });
    await state.users.delete(`v${n}`);
    await backup.catch((error) => {
      // A backup that was made by the process before, which was killed before it could say so.
      if (!(error instanceof BackupError && /exists already/.test(error.message))) throw error;
    });
  }
  say(String(n));
}
