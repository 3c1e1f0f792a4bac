/** CAPA: what this server can do, for programs. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";

/** The CAPA command (version 2). */
export const capa = command<Administration, void, MsmpContext>({
  name: "CAPA",
  args: noArguments,
  handle(phase): Promise<Reply> {
    const { services, secure } = phase.context;
    return linesAnswer(phase, [
      "VERSIONS 1 2",
      `COMMANDS ${phase.context.commands().join(" ")}`,
      ...(services.tlsOffered || secure ? ["STLS"] : []),
      `IMPLEMENTATION Postern-${services.version}`,
    ]);
  },
});
