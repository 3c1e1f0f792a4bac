/** What nodes know of each other: several servers over one state. */

import type { Figures, SessionInfo } from "./management.ts";

/** How a node stands. */
export type NodeState =
  | "serving"
  /** It lets its sessions end, and takes no new ones. */
  | "draining"
  /** It has said nothing for ten seconds: it is dead, or cut off from the database. */
  | "silent";

/** A node, as the others see it. */
export interface NodeInfo {
  readonly name: string;
  readonly state: NodeState;
  /** When it started; milliseconds since 1970, by the database's clock. */
  readonly since: number;
  /** When it was last heard of, likewise. */
  readonly seen: number;
  readonly version: string;
  /** What it tells of itself: `sessions`, `logins` and `octets` of the last minute. */
  readonly figures: Readonly<Record<string, number>>;
  /** Settings that it could not take, by key. */
  readonly differs: readonly string[];
}

/** What a node tells of itself. */
export interface OwnFigures {
  readonly figures: Readonly<Record<string, number>>;
  readonly differs: readonly string[];
}

/** What one node tells the others to do, or to look at again. */
export type SignalKind =
  /** Body: the kind, and names unless there were too many, as JSON. */
  | "accounts"
  /** Body: the key. */
  | "settings"
  | "bans"
  /** Body: the session, and the reason. */
  | "kick"
  /** Body: the node, or `*`. */
  | "reload"
  | "shutdown";

/** Something that another node said. */
export interface Signal {
  readonly kind: SignalKind;
  readonly body: string;
  /** Who said it; empty for a command that is no node. */
  readonly from: string;
}

/** Minutes of a figure. */
export type MinuteRows = readonly {
  /** Milliseconds since 1970. */
  readonly minute: number;
  readonly value: number;
}[];

/** The servers that share a database. Methods throw `ManagementError` where a server is not known or does not answer. */
export interface FleetManagement {
  /** All servers. */
  nodes(): Promise<readonly NodeInfo[]>;
  /** The sums of all servers, or one server's figures. */
  figures(node?: string): Promise<Figures>;
  /** The sessions of all servers, or of one, the oldest first. */
  sessions(node?: string): Promise<readonly SessionInfo[]>;
  /** Ends a session of another server. Returns what it was, or undefined where there was none. */
  kick(id: string): Promise<SessionInfo | undefined>;
  /** Tells a server, or all (`*`), to reload, or to end. */
  tell(node: string, what: "reload" | "shutdown"): Promise<void>;
}

/** A figure's rows by hours: the oldest first. */
export type HourRows = readonly {
  /** Milliseconds since 1970. */
  readonly hour: number;
  readonly value: number;
}[];
