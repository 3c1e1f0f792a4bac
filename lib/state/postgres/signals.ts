/** What must be heard by other nodes: a row each, written with the change that it tells of. */

import type { SignalKind } from "../../contracts/fleet.ts";
import type { Query } from "./database.ts";

/** Wakes whoever listens; nothing depends on it. */
export const CHANNEL = "postern";

/** Writes signals of one node. */
export class SignalWriter {
  /** The node's name; empty where the process is none (`postern user`). */
  readonly node: string;
  /** Whether the database can wake listeners. */
  canNotify = false;

  /** @param node the name of the node that writes */
  constructor(node: string) {
    this.node = node;
  }

  /** Writes a signal within a transaction. */
  async write(query: Query, kind: SignalKind, body: string): Promise<void> {
    await query(
      "INSERT INTO {signal} VALUES (nextval('{revision}'), $1, $2, $3, now())",
      [this.node, kind, body],
    );
    if (this.canNotify) await query(`SELECT pg_notify('${CHANNEL}', '')`);
  }
}
