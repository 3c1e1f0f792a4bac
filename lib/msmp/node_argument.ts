/** A last word `@node` or `@*` behind a command: which of the servers that share a database it is for. */

import type { FleetManagement } from "../contracts/fleet.ts";
import { type Figures, type Management, ManagementError } from "../contracts/management.ts";

/** What a command was given, and which servers it is for: undefined where nothing was said, `*` for all. */
export interface ForNode<T> {
  readonly given: T;
  readonly node: string | undefined;
}

/** Takes the last word off where it begins with `@`, and reads the rest as `inner` does. */
export function forNode<T>(inner: (rest: string) => T): (rest: string) => ForNode<T> {
  return (rest) => {
    const match = /^(?:(.*\S)\s+|\s*)@(\S+)\s*$/.exec(rest);
    if (match === null) return { given: inner(rest), node: undefined };
    return { given: inner(match[1] ?? ""), node: match[2] };
  };
}

/** The servers that share a database. @throws {ManagementError} where there is one alone */
export function fleetOf({ fleet }: Management): FleetManagement {
  if (fleet !== undefined) return fleet;
  throw new ManagementError("This server is alone: its state is in a file, and not in a database");
}

/** The figures of all servers, or of one. @throws {ManagementError} where there is no such server */
export async function figuresOf(
  management: Management,
  node: string | undefined,
): Promise<Figures> {
  const { fleet, figures } = management;
  if (fleet === undefined && node === undefined) return figures;
  return await fleetOf(management).figures(node === "*" ? undefined : node);
}
