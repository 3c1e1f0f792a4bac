/** Tells errors that files cause from faults of the program. */

/** Whether an error came from the file system, or from the process's permission to use it. */
export function isFileError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return Object.values(Deno.errors).some((kind) => error instanceof kind) ||
    ("code" in error && typeof error.code === "string");
}

/** Whether an error says that there is no such file, in Deno's words or in Node's. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && "code" in error && error.code === "ENOENT");
}
