/** A command line that cannot be obeyed. */

/** What is wrong with a command line and what was expected, in one line; the program ends with status 2. */
export class UsageError extends Error {
  override name = "UsageError";
  readonly exitStatus = 2;
}
