/** NODES and DRAIN: the servers that share a database. */

import { noArguments, oneWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { NodeInfo } from "../../contracts/fleet.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import { fleetOf } from "../node_argument.ts";
import type { Administration } from "../phases.ts";
import { field, shown, timeWord } from "../text.ts";

/** The NODES command: name, state, start, last word, version, sessions, logins and octets of the last minute, a line a server. */
export const nodes = command<Administration, void, MsmpContext>({
  name: "NODES",
  args: noArguments,
  async handle(phase): Promise<Reply> {
    const fleet = fleetOf(phase.context.services.management);
    return await linesAnswer(phase, (await fleet.nodes()).map(nodeLine));
  },
});

/** The DRAIN command: a server takes no new sessions, and ends when those that it has are over. */
export const drain = command<Administration, string, MsmpContext>({
  name: "DRAIN",
  args: oneWord("node"),
  async handle(phase, given): Promise<Reply> {
    const node = given.replace(/^@/, "");
    await fleetOf(phase.context.services.management).tell(node, "shutdown");
    phase.audit({ action: "DRAIN", object: node });
    return { kind: "ok", text: shown(`${node} lets its sessions end`) };
  },
});

function nodeLine({ name, state, since, seen, version, figures, differs }: NodeInfo): string {
  const { sessions = 0, logins = 0, octets = 0 } = figures;
  return [
    name,
    state,
    timeWord(since),
    timeWord(seen),
    field(version),
    sessions,
    logins,
    octets,
    ...differs.length > 0 ? [`differs=${field(differs.join())}`] : [],
  ].join(" ");
}
