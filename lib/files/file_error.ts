/** Knows errors of the file system by their numbers: what they are called, what to tell a person, whether to try again. */

/** An error of the system: its name, what it says, and whether the same call may succeed later without anybody mending a permission. */
interface SystemError {
  readonly name: string;
  readonly reason: string;
  readonly temporary: boolean;
}

/**
 * Linux's numbers (asm-generic/errno.h). The runtime has a class or a code for some; the others (quota, stale handles, damaged file
 * systems) come as plain errors that have the number in their text.
 */
const SYSTEM_ERRORS: ReadonlyMap<number, SystemError> = new Map([
  permanent(1, "EPERM", "operation not permitted"),
  permanent(2, "ENOENT", "no such file or folder"),
  temporary(4, "EINTR", "interrupted"),
  temporary(5, "EIO", "input/output error"),
  temporary(6, "ENXIO", "no such device"),
  permanent(9, "EBADF", "file is not open"),
  temporary(11, "EAGAIN", "temporarily unavailable"),
  temporary(12, "ENOMEM", "out of memory"),
  permanent(13, "EACCES", "permission denied"),
  temporary(16, "EBUSY", "in use by the system"),
  permanent(17, "EEXIST", "already exists"),
  permanent(18, "EXDEV", "on another file system"),
  temporary(19, "ENODEV", "no such device"),
  permanent(20, "ENOTDIR", "not a folder"),
  permanent(21, "EISDIR", "is a folder"),
  permanent(22, "EINVAL", "not supported by the file system"),
  temporary(23, "ENFILE", "too many open files on this machine"),
  temporary(24, "EMFILE", "too many open files"),
  temporary(26, "ETXTBSY", "file is being executed"),
  permanent(27, "EFBIG", "file too large"),
  temporary(28, "ENOSPC", "no space left on the disk"),
  permanent(30, "EROFS", "read-only file system"),
  temporary(31, "EMLINK", "too many links"),
  temporary(35, "EDEADLK", "locked by another process"),
  permanent(36, "ENAMETOOLONG", "file name too long"),
  temporary(37, "ENOLCK", "no locks available"),
  permanent(38, "ENOSYS", "not supported by the system"),
  permanent(39, "ENOTEMPTY", "folder is not empty"),
  permanent(40, "ELOOP", "too many symbolic links"),
  temporary(61, "ENODATA", "no data available"),
  temporary(67, "ENOLINK", "connection to the file server was cut"),
  temporary(70, "ECOMM", "communication with the file server failed"),
  temporary(71, "EPROTO", "protocol error of the file server"),
  temporary(74, "EBADMSG", "damaged data on the disk (bad checksum)"),
  permanent(75, "EOVERFLOW", "file too large"),
  permanent(84, "EILSEQ", "file name is not valid here"),
  permanent(95, "EOPNOTSUPP", "not supported by the file system"),
  temporary(100, "ENETDOWN", "network is down"),
  temporary(101, "ENETUNREACH", "network is unreachable"),
  temporary(103, "ECONNABORTED", "connection to the file server was aborted"),
  temporary(104, "ECONNRESET", "connection to the file server was reset"),
  temporary(105, "ENOBUFS", "out of buffer space"),
  temporary(107, "ENOTCONN", "file server is not connected"),
  temporary(108, "ESHUTDOWN", "file system was shut down"),
  temporary(110, "ETIMEDOUT", "file server did not answer in time"),
  temporary(111, "ECONNREFUSED", "file server refused the connection"),
  temporary(112, "EHOSTDOWN", "file server is down"),
  temporary(113, "EHOSTUNREACH", "file server is unreachable"),
  temporary(116, "ESTALE", "stale file handle: the file server no longer knows it"),
  temporary(117, "EUCLEAN", "damaged file system; it needs a check"),
  temporary(121, "EREMOTEIO", "input/output error of the file server"),
  temporary(122, "EDQUOT", "disk quota exceeded"),
  temporary(123, "ENOMEDIUM", "no disk"),
  temporary(126, "ENOKEY", "key of an encrypted folder is missing"),
]);

const NUMBERS: ReadonlyMap<string, number> = new Map(
  [...SYSTEM_ERRORS].map(([number, { name }]) => [name, number]),
);

/**
 * The classes that the runtime has for errors of files, which not always carry a number. Classes of sockets stand here too, since a file
 * on a file server can fail like one.
 */
const CLASSES: readonly (readonly [new (message: string) => Error, string])[] = [
  [Deno.errors.NotFound, "ENOENT"],
  [Deno.errors.PermissionDenied, "EACCES"],
  [Deno.errors.AlreadyExists, "EEXIST"],
  [Deno.errors.NotADirectory, "ENOTDIR"],
  [Deno.errors.IsADirectory, "EISDIR"],
  [Deno.errors.FilesystemLoop, "ELOOP"],
  [Deno.errors.TimedOut, "ETIMEDOUT"],
  [Deno.errors.Interrupted, "EINTR"],
  [Deno.errors.WouldBlock, "EAGAIN"],
  [Deno.errors.Busy, "EBUSY"],
  [Deno.errors.NotConnected, "ENOTCONN"],
];

/**
 * The system's number of an error, as `errno` has it.
 *
 * @returns undefined when it is no error of the system, or its number cannot be told
 */
export function fileErrorNumber(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  // node:fs: a negative number, also where the code is UNKNOWN.
  if ("errno" in error && typeof error.errno === "number" && error.errno !== 0) {
    return Math.abs(error.errno);
  }
  // The runtime's own text. The path stands behind the number, so no file's name can be taken for one.
  const told = /^[^(]*\(os error (\d+)\)/.exec(error.message)?.[1];
  if (told !== undefined) return Number(told);
  if ("code" in error && typeof error.code === "string") return NUMBERS.get(error.code);
  const known = CLASSES.find(([kind]) => error instanceof kind);
  return known && NUMBERS.get(known[1]);
}

/** Whether an error came from the file system, or from the process's permission to use it, and not from a fault of the program. */
export function isFileError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return fileErrorNumber(error) !== undefined ||
    Object.values(Deno.errors).some((kind) => error instanceof kind) ||
    ("code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code));
}

/** Whether an error says that there is no such file. */
export function isNotFound(error: unknown): boolean {
  return fileErrorNumber(error) === NUMBERS.get("ENOENT");
}

/**
 * Whether a file error may pass: a full disk, a quota, a file server that is away, a disk that fails. What stands against it for good is a
 * permission, a read-only file system, a name that cannot be. An error without a number counts as temporary, since nothing is known.
 */
export function isTemporaryFileError(error: unknown): boolean {
  if (error instanceof Deno.errors.NotCapable) return false;
  const number = fileErrorNumber(error);
  return number === undefined || (SYSTEM_ERRORS.get(number)?.temporary ?? true);
}

/**
 * What an error of a file says, for logs and for people: in the same words whichever interface it came from, with the system's name for it,
 * and without a path.
 *
 * @example
 * ```ts
 * fileErrorReason(error); // "disk quota exceeded (EDQUOT)"
 * ```
 */
export function fileErrorReason(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return "outside what this process may access";
  const number = fileErrorNumber(error);
  if (number === undefined) return error instanceof Error ? error.message : String(error);
  const known = SYSTEM_ERRORS.get(number);
  return known === undefined ? `system error ${number}` : `${known.reason} (${known.name})`;
}

function temporary(number: number, name: string, reason: string): [number, SystemError] {
  return [number, { name, reason, temporary: true }];
}

function permanent(number: number, name: string, reason: string): [number, SystemError] {
  return [number, { name, reason, temporary: false }];
}
