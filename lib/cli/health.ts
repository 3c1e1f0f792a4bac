/** `postern health`: asks the POP3 port for its greeting, for supervisors that want to know whether the server serves. */

import { paragraph } from "./help.ts";
import { BlockList, isIPv6 } from "node:net";
import type { Settings } from "../contracts/settings.ts";
import { NoConnectionError } from "../msmp_client/errors.ts";
import { json, safe } from "../terminal/safe_text.ts";
import { LineStream } from "../msmp_client/line_stream.ts";
import { parseFlags } from "./flags.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { readSomeSettings, settingFlags } from "./some_settings.ts";
import { complain, printLine } from "../terminal/output.ts";
import { UsageError } from "./usage_error.ts";

/** Milliseconds for everything; 5 s are promised, and the start of the program is among them. */
const LIMIT = 4000;
/**
 * Milliseconds for the greeting. A server whose connections are all taken makes room after three seconds (max_connections), which would
 * hide from a supervisor that it is full.
 */
const GREETING = 2500;
/** Milliseconds for the answer to QUIT. */
const FAREWELL = 300;

/** Settings that say where the server is, taken as `serve` takes them. */
const WHERE = ["listen", "port", "proxyProtocol", "config"] as const;

const flags: readonly OwnFlag[] = withHelp([
  ...settingFlags(WHERE),
  ownFlag("json", undefined, "", "the outcome as a line of JSON"),
]);

/**
 * Runs `postern health`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runHealth(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  if (rest.length > 0) throw new UsageError("health takes only flags; see postern health -h");
  const settings = await readSomeSettings(WHERE, values);
  const asJson = isGiven(values, "json");
  const outcome = await ask(placeOf(settings), settings.proxyProtocol);
  if (asJson) printLine(json(outcome));
  else if (outcome.ok) printLine(safe(outcome.greeting));
  else complain(`postern: ${safe(outcome.message)}`);
  return outcome.ok ? 0 : 1;
}

interface Place {
  readonly address: string;
  readonly port: number;
}

type Outcome =
  & Place
  & (
    | { readonly ok: true; readonly greeting: string; readonly milliseconds: number }
    | { readonly ok: false; readonly message: string }
  );

function help(): string {
  return [
    "Usage: postern health [flags]",
    paragraph(
      "Connects to the POP3 port, reads the greeting and sends QUIT, within 5 seconds. Address and port come from the " +
        "same flags, environment and config file as those of serve; of several addresses the first is used, and " +
        "loopback when the server listens on all interfaces.",
    ),
    "Exit status: 0 the server answers, 1 it does not, 2 wrong usage.",
    flagsHelp(flags),
  ].join("\n\n");
}

/** Where to ask; all interfaces mean this machine. */
function placeOf({ listen: [first = "0.0.0.0"], port }: Pick<Settings, "listen" | "port">): Place {
  const address = first === "0.0.0.0" ? "127.0.0.1" : first === "::" ? "::1" : first;
  return { address, port };
}

async function ask(place: Place, proxies: readonly string[]): Promise<Outcome> {
  const ill = (message: string): Outcome => ({ ...place, ok: false, message });
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
  const list = new BlockList();
  for (const network of networks) {
    const [base = "", bits = ""] = network.split("/");
    list.addSubnet(base, Number(bits), isIPv6(base) ? "ipv6" : "ipv4");
  }
  return networks.length > 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
