/** Finds the program that a command line names, so that one that does not exist is refused when it is set. */

import { fileErrorReason } from "../files/file_error.ts";
import { TransformerError } from "../contracts/transformer.ts";

/** Where to look. */
export interface FindProgramOptions {
  /** The folders to look in, as in the variable PATH. Relative and empty entries are left out: they would mean another folder tomorrow. */
  readonly path: string;
  /** The folder that a name with a slash in it is relative to. */
  readonly cwd: string;
}

/** Any of the three permissions to execute. */
const EXECUTE = 0o111;

/**
 * Finds a program by its name: with a slash in it, that file; else the first executable file of the name in PATH.
 *
 * @returns the absolute path
 * @throws {TransformerError} `not-found`, with a sentence that says what was looked for and where
 */
export async function findProgram(name: string, options: FindProgramOptions): Promise<string> {
  if (name.includes("/")) {
    const file = name.startsWith("/") ? name : `${options.cwd.replace(/\/+$/, "")}/${name}`;
    const refusal = await refuse(file);
    if (refusal === undefined) return file;
    throw notFound(`The transformer ${JSON.stringify(name)} cannot be run: ${file} ${refusal}`);
  }
  let seen = "";
  for (const folder of options.path.split(":")) {
    if (!folder.startsWith("/")) continue;
    const file = `${folder.replace(/\/+$/, "")}/${name}`;
    const refusal = await refuse(file);
    if (refusal === undefined) return file;
    if (refusal !== MISSING) seen ||= `; ${file} ${refusal}`;
  }
  const hint = seen === "" ? "; give its path, or install it" : seen;
  throw notFound(
    `The transformer ${JSON.stringify(name)} is no program in PATH (${options.path})${hint}`,
  );
}

const MISSING = "does not exist";

/** What keeps a file from being run, or undefined. */
async function refuse(file: string): Promise<string | undefined> {
  let found: Deno.FileInfo;
  try {
    found = await Deno.stat(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return MISSING;
    }
    return `cannot be reached (${fileErrorReason(error)})`;
  }
  if (!found.isFile) return "is no file";
  // Where files have no mode (Windows) the system says at the start whether it can be run.
  if (found.mode !== null && (found.mode & EXECUTE) === 0) return "is not executable";
  return undefined;
}

function notFound(sentence: string): TransformerError {
  return new TransformerError("not-found", sentence);
}
