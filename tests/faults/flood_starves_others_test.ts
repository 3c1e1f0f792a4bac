/** A client that always had the next commands ready kept the thread for itself: other sessions, and timers, never came to their turn. */

import { assert } from "@std/assert";
import type { Connection } from "../../lib/contracts/connection.ts";
import { Conversation } from "../../lib/wire/conversation.ts";
import { ScriptedDialogue } from "../wire/scripted_dialogue.ts";

Deno.test("a client that floods commands lets others come to their turn", async () => {
  const commands = new TextEncoder().encode("NOOP\r\n".repeat(10_000));
  let reads = 0;
  let turnAfter = Infinity;
  const connection: Connection = {
    peer: { address: "192.0.2.1", port: 1 },
    local: { address: "192.0.2.2", port: 110 },
    tls: undefined,
    read: (into) => {
      if (++reads > 500) return Promise.resolve(null);
      into.set(commands.subarray(0, into.length));
      return Promise.resolve(into.length);
    },
    write: (octets) => Promise.resolve(octets.length),
    closeWrite: () => Promise.resolve(),
    [Symbol.dispose]: () => {},
  };
  setTimeout(() => turnAfter = reads, 0);
  await new Conversation(connection, new ScriptedDialogue(), (error) => {
    throw error;
  }).run();
  assert(turnAfter < 50, `another's turn came after ${turnAfter} full reads`);
});
