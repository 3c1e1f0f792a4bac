/** BACKUP: makes a backup of the state on the server's machine. */

import { optionalWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown } from "../text.ts";

/** The BACKUP command (version 2). The name is a file's in the server's folder of backups; nothing else can be reached by it. */
export const backup = command<Administration, string | undefined, MsmpContext>({
  name: "BACKUP",
  args: optionalWord("name"),
  async handle(phase, name): Promise<Reply> {
    const made = await phase.context.services.management.backups.make(name);
    const { path, users, administrators, octets } = made;
    phase.audit({ action: "BACKUP", object: path });
    return await linesAnswer(phase, [
      `path: ${shown(path)}`,
      `users: ${users}`,
      `administrators: ${administrators}`,
      `octets: ${octets}`,
    ]);
  },
});
