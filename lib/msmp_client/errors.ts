/** What ends a command of `postern admin` other than its own success. */

/** The server could not be reached, or was lost; exit status 3. */
export class NoConnectionError extends Error {
  override name = "NoConnectionError";
  readonly exitStatus = 3;
}

/** The server said no, or speaks a version that cannot do what was asked; exit status 1. */
export class RefusedError extends Error {
  override name: string = "RefusedError";
  readonly exitStatus = 1;
}

/** The login was refused, as it will be again. */
export class LoginRefusedError extends RefusedError {
  override name = "LoginRefusedError";
}
