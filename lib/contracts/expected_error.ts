/** Errors that can happen to a program without a fault in it: what they say is for people. */

/** An error whose message is a sentence for people. It has no stack: where in the program it was noticed tells nobody anything. */
export class ExpectedError extends Error {
  override name: string = "ExpectedError";

  /**
   * Makes an error.
   *
   * @param message what happened, what was expected, what to do
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    delete this.stack;
  }
}
