/** What the world outside must be like for a setting's value to be taken. */

import type { SettingChecks } from "../settings/live_settings.ts";
import type { Settings } from "../contracts/settings.ts";
import { findProgram, type FindProgramOptions } from "../transform/find_program.ts";
import { splitWords } from "../transform/split_words.ts";
import { TransformerError } from "../contracts/transformer.ts";

/** No transformer. */
const NONE = "none";

/** A transformer's program and arguments, ready to run. */
export type TransformerCommand = readonly [string, ...string[]];

/**
 * Finds the program of a transformer.
 *
 * @param path the variable PATH
 * @returns undefined for `none`
 * @throws {Error} a sentence, when it cannot be run or is not allowed
 */
export async function transformerCommand(
  settings: Settings,
  path: string,
): Promise<TransformerCommand | undefined> {
  if (settings.transformer === NONE) return undefined;
  const [name, ...args] = splitWords(settings.transformer);
  if (name === undefined) throw new SyntaxError("the name of a program, or none");
  const where = { path, cwd: Deno.cwd() };
  const found = await findProgram(name, where);
  if (!await allowed(settings.allowTransformer, found, where)) {
    throw new RangeError(
      `one of the programs of --allow-transformer: ${settings.allowTransformer.join(", ")}`,
    );
  }
  return [found, ...args];
}

/** Whether a program is one of those that are named, by its name in PATH or by its path. */
async function allowed(
  names: readonly string[],
  program: string,
  where: FindProgramOptions,
): Promise<boolean> {
  if (names.length === 0) return true;
  for (const name of names) {
    try {
      if (await findProgram(name, where) === program) return true;
    } catch (error) {
      // One that is not installed can be neither set nor run.
      if (!(error instanceof TransformerError)) throw error;
    }
  }
  return false;
}

/** The checks of `maildir` and `transformer`. */
export function settingChecks(path: string): SettingChecks {
  return {
    maildir: async (folder) => await refuseFolder(folder),
    transformer: async (_value, settings) => {
      try {
        await transformerCommand(settings, path);
        return undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        // What is not allowed is told as what is; everything else is a sentence of its own.
        return error instanceof RangeError
          ? reason
          : `a program that can be run, or none. ${reason}`;
      }
    },
  };
}

async function refuseFolder(folder: string): Promise<string | undefined> {
  try {
    for await (const _entry of Deno.readDir(folder)) break;
    return undefined;
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? "a folder that exists: make it, or name another"
      : "a folder that can be read";
  }
}
