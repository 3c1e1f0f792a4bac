/** Which commands exist in which phase (RFC 1939, sections 4 to 6). */

import { CommandTable } from "../wire/command_table.ts";
import { apop } from "./commands/apop.ts";
import { auth } from "./commands/auth.ts";
import { capa } from "./commands/capa.ts";
import { dele } from "./commands/dele.ts";
import { lang } from "./commands/lang.ts";
import { last } from "./commands/last.ts";
import { list } from "./commands/list.ts";
import { noop } from "./commands/noop.ts";
import { pass } from "./commands/pass.ts";
import { quit } from "./commands/quit.ts";
import { retr } from "./commands/retr.ts";
import { rset } from "./commands/rset.ts";
import { stat } from "./commands/stat.ts";
import { stls } from "./commands/stls.ts";
import { top } from "./commands/top.ts";
import { uidl } from "./commands/uidl.ts";
import { user } from "./commands/user.ts";
import { utf8 } from "./commands/utf8.ts";
import type { Pop3Context } from "./context.ts";
import type { Authorization, Transaction } from "./phases.ts";

/** AUTHORIZATION. */
export const authorizationTable = new CommandTable<Authorization, Pop3Context>([
  capa,
  user,
  pass,
  apop,
  auth,
  stls,
  utf8,
  lang,
  noop,
  quit,
]);

/** TRANSACTION. */
export const transactionTable = new CommandTable<Transaction, Pop3Context>([
  stat,
  list,
  retr,
  dele,
  noop,
  rset,
  top,
  uidl,
  last,
  capa,
  lang,
  quit,
]);
