/** `postern health`: asks the POP3 port for its greeting, for supervisors that want to know whether the server serves. */

import { paragraph } from "./help.ts";
import { probedAddress, type ProbedPlace, probePop3 } from "../app/pop3_probe.ts";
import type { Settings } from "../contracts/settings.ts";
import { json, safe } from "../terminal/safe_text.ts";
import { parseFlags } from "./flags.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { readSomeSettings, settingFlags } from "./some_settings.ts";
import { complain, printLine } from "../terminal/output.ts";
import { UsageError } from "./usage_error.ts";

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
  const outcome = await probePop3(placeOf(settings), settings.proxyProtocol);
  if (asJson) printLine(json(outcome));
  else if (outcome.ok) printLine(safe(outcome.greeting));
  else complain(`postern: ${safe(outcome.message)}`);
  return outcome.ok ? 0 : 1;
}

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

/** Where to ask: the first of several addresses. */
function placeOf(
  { listen: [first = "0.0.0.0"], port }: Pick<Settings, "listen" | "port">,
): ProbedPlace {
  return { address: probedAddress(first), port };
}
