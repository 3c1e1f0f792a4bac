/** LMTP's answers with their enhanced codes (RFC 5321, RFC 3463, RFC 2033). */

import { DeliveryError } from "../mail/delivery/mailbox_delivery.ts";

/** What a delivery's end is answered with. */
export function replyToTrouble(error: unknown): string {
  const trouble = error instanceof DeliveryError ? error.trouble : "temporary";
  switch (trouble) {
    case "over-quota":
      return "452 4.2.2 The mailbox is full";
    case "too-big":
      return "552 5.2.2 The message is larger than the mailbox may be";
    case "disk-full":
      return "452 4.3.1 The disk is full";
    case "permission":
      return "451 4.3.5 The mailbox cannot be used; the log says why";
    case "disk":
    case "temporary":
      return "451 4.3.0 The message cannot be delivered now";
  }
}

export const TOO_LARGE = "552 5.3.4 The message is too large";
