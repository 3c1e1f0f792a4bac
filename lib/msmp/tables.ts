/** Which commands exist in which phase. */

import { CommandTable } from "../wire/command_table.ts";
import { add } from "./commands/add.ts";
import { admin } from "./commands/admin.ts";
import { backup } from "./commands/backup.ts";
import { ban } from "./commands/ban.ts";
import { bans } from "./commands/bans.ts";
import { capa } from "./commands/capa.ts";
import { dele } from "./commands/dele.ts";
import { get } from "./commands/get.ts";
import { help } from "./commands/help.ts";
import { history } from "./commands/history.ts";
import { key } from "./commands/key.ts";
import { kick } from "./commands/kick.ts";
import { list } from "./commands/list.ts";
import { classicLogs, logs } from "./commands/logs.ts";
import { msmp } from "./commands/msmp.ts";
import { drain, nodes } from "./commands/nodes.ts";
import { noop } from "./commands/noop.ts";
import { pass } from "./commands/pass.ts";
import { quit } from "./commands/quit.ts";
import { reload } from "./commands/reload.ts";
import { sessions } from "./commands/sessions.ts";
import { set } from "./commands/set.ts";
import { settings } from "./commands/settings.ts";
import { shutdown } from "./commands/shutdown.ts";
import { classicStat, stat } from "./commands/stat.ts";
import { stls } from "./commands/stls.ts";
import { trace } from "./commands/trace.ts";
import { trash } from "./commands/trash.ts";
import { unban } from "./commands/unban.ts";
import { user } from "./commands/user.ts";
import { userFields } from "./commands/user_fields.ts";
import { watch } from "./commands/watch.ts";
import type { MsmpContext } from "./context.ts";
import type { Administration, Authorization } from "./phases.ts";

/** Before login. */
export const authorizationTable = new CommandTable<Authorization, MsmpContext>([
  user,
  pass,
  stls,
  quit,
]);

/** Version 1; other people's clients speak it. */
export const version1Table = new CommandTable<Administration, MsmpContext>([
  add,
  dele,
  list,
  set,
  get,
  classicStat,
  classicLogs,
  msmp,
  quit,
]);

/** Version 2. */
export const version2Table = new CommandTable<Administration, MsmpContext>([
  add,
  dele,
  list,
  logs,
  userFields,
  trash,
  key,
  admin,
  set,
  get,
  settings,
  stat,
  history,
  watch,
  trace,
  sessions,
  kick,
  bans,
  ban,
  unban,
  backup,
  reload,
  shutdown,
  nodes,
  drain,
  help,
  capa,
  noop,
  msmp,
  quit,
]);
