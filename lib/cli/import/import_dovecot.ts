/** `postern import dovecot --config FILE`: prints the configuration that equals Dovecot's. */

import { fileErrorReason } from "../../files/file_error.ts";
import { DovecotConfigError, translateDovecot } from "../../migrate/dovecot_config.ts";
import { print } from "../../terminal/output.ts";
import { safe } from "../../terminal/safe_text.ts";
import { parseFlags } from "../flags.ts";
import { paragraph } from "../help.ts";
import { flagsHelp, type OwnFlag, ownFlag } from "../own_flags.ts";
import { UsageError } from "../usage_error.ts";
import { answerOwnHelp } from "./import_flags.ts";

const flags: readonly OwnFlag[] = [
  ownFlag("config", undefined, "FILE", "the output of doveconf -n; - is standard input"),
  ownFlag("help", "h", "", "show this help and exit"),
];

/**
 * Runs `postern import dovecot`.
 *
 * @throws {UsageError} when the arguments do not fit, or the file is no output of doveconf
 */
export async function runImportDovecot(args: readonly string[]): Promise<number> {
  const helped = answerOwnHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const path = values.get("config")?.[0];
  if (path === undefined || rest.length > 0) {
    throw new UsageError("expected postern import dovecot --config FILE");
  }
  let lines: string[];
  try {
    lines = translateDovecot(
      path === "-" ? await new Response(Deno.stdin.readable).text() : await Deno.readTextFile(path),
    );
  } catch (error) {
    const reason = error instanceof DovecotConfigError ? error.message : fileErrorReason(error);
    throw new UsageError(`${path} cannot be taken: ${reason}`, { cause: error });
  }
  print(`${lines.map(safe).join("\n")}\n`);
  return 0;
}

function help(): string {
  return [
    "Usage: postern import dovecot --config FILE",
    paragraph(
      "Prints the config file that equals the output of doveconf -n, of Dovecot 2.3 or 2.4, with a comment for each setting " +
        "that has no equal.",
    ),
    flagsHelp(flags),
    "Exit status: 0 done, 2 wrong usage.",
  ].join("\n\n");
}
