/** CAPA (RFC 2449, section 5): what this server can do. */

import { noArguments } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import { VERSION } from "../../version.ts";
import type { Pop3Context } from "../context.ts";
import type { Authorization, Transaction } from "../phases.ts";

/** The CAPA command: lines of the command tables, then what no single command stands for. */
export const capa = command<Authorization | Transaction, void, Pop3Context>({
  name: "CAPA",
  args: noArguments,
  handle: ({ context }) => ({
    kind: "list",
    text: "capability list follows",
    lines: [...context.commandCapabilities(), ...serverCapabilities(context)],
  }),
});

function serverCapabilities(context: Pop3Context): string[] {
  const { loginDelay, expire } = context.services.settings;
  return [
    "RESP-CODES", // RFC 2449, section 6.4
    "AUTH-RESP-CODE", // RFC 3206, section 6
    "PIPELINING", // RFC 2449, section 6.6
    ...(loginDelay > 0 ? [`LOGIN-DELAY ${loginDelay}`] : []), // RFC 2449, section 6.5
    expire > 0 ? `EXPIRE ${expire}` : "EXPIRE NEVER", // RFC 2449, section 6.7
    `IMPLEMENTATION Postern-${VERSION}`, // RFC 2449, section 6.9
  ];
}
