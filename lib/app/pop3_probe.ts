/** Asks a POP3 port for its greeting: what `postern health` and `/healthz` do. */

import { isIPv6 } from "node:net";
import { NoConnectionError } from "../msmp_client/errors.ts";
import { LineStream } from "../msmp_client/line_stream.ts";
import { NetworkList } from "../net/networks.ts";

/** Milliseconds for everything; 5 s are promised, and the start of the program is among them. */
const LIMIT = 4000;
/**
 * Milliseconds for the greeting. A server whose connections are all taken makes room after three seconds (max_connections), which would
 * hide from a supervisor that it is full.
 */
const GREETING = 2500;
/** Milliseconds for the answer to QUIT. */
const FAREWELL = 300;

/** Where a POP3 server listens. */
export interface ProbedPlace {
  readonly address: string;
  readonly port: number;
}

/** How it went; the message is a sentence without its full stop. */
export type ProbeOutcome =
  & ProbedPlace
  & (
    | { readonly ok: true; readonly greeting: string; readonly milliseconds: number }
    | { readonly ok: false; readonly message: string }
  );

/** The address that leads to a listener of this machine; one of all interfaces means loopback. */
export function probedAddress(listened: string): string {
  if (listened === "0.0.0.0") return "127.0.0.1";
  return listened === "::" ? "::1" : listened;
}

/**
 * Connects, reads the greeting and sends QUIT, within four seconds. Never rejects.
 *
 * @param proxies networks whose peers must send a PROXY header (`--proxy-protocol`)
 */
export async function probePop3(
  place: ProbedPlace,
  proxies: readonly string[],
): Promise<ProbeOutcome> {
  const ill = (message: string): ProbeOutcome => ({ ...place, ok: false, message });
  const { address, port } = place;
  if (port === 0) return ill("port 0 is any free port: name the real one with -p");
  const shown = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
  const start = performance.now();
  const late = AbortSignal.timeout(LIMIT);
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname: address, port, signal: late });
  } catch (error) {
    const reason = late.aborted ? `no connection within ${LIMIT / 1000} seconds` : textOf(error);
    return ill(`${shown} cannot be reached: ${reason}`);
  }
  const lines = new LineStream(connection);
  try {
    // A peer that --proxy-protocol names must begin with the header, and this one speaks for itself.
    if (isProxy(connection.localAddr.hostname, proxies)) await lines.send("PROXY UNKNOWN");
    const greeting = await lines.nextWithin(
      Math.max(0, Math.min(GREETING, LIMIT - (performance.now() - start))),
    );
    if (greeting === undefined) {
      return ill(
        `${shown} takes connections, but sends no greeting within ${GREETING / 1000} seconds: ` +
          "all of max_connections are taken, or the server hangs",
      );
    }
    if (!greeting.startsWith("+OK")) return ill(`${shown} greets with "${greeting.slice(0, 200)}"`);
    const milliseconds = Math.round(performance.now() - start);
    await sayQuit(lines);
    return { ...place, ok: true, greeting, milliseconds };
  } catch (error) {
    return ill(`${shown}: ${textOf(error)}`);
  } finally {
    lines.close();
  }
}

/** Leaves as a client should. The greeting was the proof: how this ends proves nothing more. */
async function sayQuit(lines: LineStream): Promise<void> {
  try {
    await lines.send("QUIT");
    await lines.nextWithin(FAREWELL);
  } catch (error) {
    if (!(error instanceof NoConnectionError)) throw error;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isProxy(address: string, networks: readonly string[]): boolean {
  return new NetworkList(networks).holds(address);
}
