/** What can be wrong with a setting, as errors whose messages go to people as they are. */

/** A setting that cannot be. The message is one line. */
export class SettingError extends Error {
  override name = "SettingError";
}

/** No setting has this name. */
export class UnknownKeyError extends SettingError {
  override name = "UnknownKeyError";
}

/** The setting stands from start to end. */
export class NotSettableError extends SettingError {
  override name = "NotSettableError";
}

/** The value does not fit; the message names what was expected. */
export class InvalidValueError extends SettingError {
  override name = "InvalidValueError";
  /** What may be given, without the value that was. */
  readonly expected: string;

  constructor(message: string, expected: string, options?: ErrorOptions) {
    super(message, options);
    this.expected = expected;
  }
}
