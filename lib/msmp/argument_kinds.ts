/** What the arguments of commands are, for help and for completion. */

/** An argument, in brackets where it may be left out. */
export type ArgumentKind =
  | Argument
  | `[${Argument}]`;

/** What an argument is. */
export type Argument =
  | "user"
  | "name"
  | "password"
  | "key"
  | "value"
  | "metric"
  | "session"
  | "node"
  | "label"
  | "field"
  | "messages"
  | "count"
  | "bodies"
  | "minutes"
  | "hours"
  | "seconds"
  | "version"
  | "command"
  | "argument";

/** An argument without its brackets. */
export function argumentOf(kind: ArgumentKind): Argument {
  return kind.replaceAll(/[[\]]/g, "") as Argument;
}

/** How help shows arguments: `<name> [number]`. */
export function usageOf(kinds: readonly ArgumentKind[]): string {
  return kinds.map((kind) => kind.startsWith("[") ? kind : `<${kind}>`).join(" ");
}
