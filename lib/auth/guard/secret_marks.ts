/** Tells one wrong password from another without keeping either. */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";

/** Makes marks of secrets, under a key that dies with the process. */
export class SecretMarks {
  readonly #key: Uint8Array;

  /** @param key 32 random octets unless given */
  constructor(key: Uint8Array = randomBytes(32)) {
    this.#key = key;
  }

  /**
   * The mark of a secret in a scope: two are equal where the same was tried. A secret that cannot be seen is always another one.
   *
   * @param scope who tried it where
   */
  of(scope: readonly string[], secret: string | undefined): string {
    if (secret === undefined) return randomBytes(12).toString("base64");
    const hash = createHmac("sha256", this.#key);
    for (const part of [...scope, secret]) {
      // Lengths in front, so that no two lists of parts are the same octets.
      const octets = Buffer.from(part);
      hash.update(`${octets.length}:`).update(octets);
    }
    return hash.digest("base64").slice(0, 16);
  }
}
