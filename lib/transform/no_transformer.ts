/** The transformer that changes nothing. */

import type { StoredMessage } from "../contracts/mail_store.ts";
import type { MessageBody, Transformer } from "../contracts/transformer.ts";

/** Hands the stored message through. */
export class NoTransformer implements Transformer {
  readonly resizes = false;

  async apply(open: () => Promise<StoredMessage>): Promise<MessageBody> {
    return { kind: "stored", message: await open() };
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }
}
