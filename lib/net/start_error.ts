/** Why the server does not start: sentences for the person who started it. */

import { endpointText } from "./endpoint.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import type { ListenOptions } from "./endpoint.ts";

/** The server cannot start; the message says what happened and what to do. */
export class StartError extends Error {
  override name = "StartError";
}

/**
 * What is thrown for an error that kept the server from starting: trouble with the state is for the person who started it to mend, at
 * whatever step it came. What else went wrong while the parts that had started were closed again is not what kept it from starting.
 */
export function startFailure(error: unknown): unknown {
  let first = error;
  while (first instanceof SuppressedError) first = first.suppressed;
  return first instanceof StateStoreError ? new StartError(first.message, { cause: first }) : first;
}

/** A port cannot be opened. */
export class ListenError extends StartError {
  override name = "ListenError";
  /** The name of the system's error, such as `AddrInUse`. */
  readonly systemError: string;

  constructor(
    failure: {
      readonly name: string;
      readonly message: string;
      readonly where: ListenOptions | undefined;
    },
  ) {
    super(explain(failure));
    this.systemError = failure.name;
  }
}

function explain(
  { name, message, where }: { name: string; message: string; where: ListenOptions | undefined },
): string {
  if (where === undefined) return message;
  const { hostname, port } = where;
  const place = `port ${port} of ${hostname} (${endpointText({ address: hostname, port })})`;
  switch (name) {
    case "AddrInUse":
      return `Cannot listen on ${place}: another program is using it. Stop that program, or choose another port with -p (POP3), --tls-port (POP3S) or -P (management).`;
    case "PermissionDenied":
      return `Cannot listen on ${place}: ports under 1024 need privileges. Choose a port of 1024 or higher, or grant the program ` +
        `the right (on Linux: setcap cap_net_bind_service=+ep, or AmbientCapabilities in a systemd unit).`;
    case "AddrNotAvailable":
      return `Cannot listen on ${place}: this machine does not have that address. Choose one of its addresses, or omit the flag.`;
    default:
      return `Cannot listen on ${place}: ${message}`;
  }
}
