/** What a command handler answers: a value, which the engine writes to the connection. */

import type { Line } from "../bytes/line_buffer.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { MessageBody } from "../contracts/transformer.ts";

/** Response codes (RFC 2449, section 8; RFC 3206; RFC 6856, section 5). */
export type ResponseCode = "IN-USE" | "LOGIN-DELAY" | "AUTH" | "SYS/TEMP" | "SYS/PERM" | "UTF8";

/** What the engine does once the reply is written. */
export type ReplyEffect = "close" | "start-tls";

/** An answer. Texts are single lines without CR, LF or control characters; the engine cuts first lines at 512 octets. */
export type Reply =
  | { readonly kind: "ok"; readonly text?: string; readonly effect?: ReplyEffect }
  | {
    readonly kind: "error";
    readonly text: string;
    readonly code?: ResponseCode;
    readonly effect?: "close";
    /** With `close`: why, for the records. */
    readonly reason?: CloseReason;
    /** Whether the command itself was wrong, not just its time or object: counts towards `max_bad_commands`. */
    readonly bad?: boolean;
  }
  | {
    readonly kind: "list";
    readonly text: string;
    readonly lines: Iterable<string> | AsyncIterable<string>;
  }
  | {
    /** A list whose lines come with time (MSMP's WATCH): each part is sent as soon as it is there. */
    readonly kind: "live";
    readonly text: string;
    readonly parts: AsyncIterable<readonly string[]>;
  }
  | {
    readonly kind: "message";
    readonly text: string;
    readonly body: MessageBody;
    /** Send the header and this many lines of the body only (TOP). */
    readonly lines?: number;
    /** Called once the whole message was written, with its octets on the wire. */
    readonly sent?: (octets: number) => void;
  }
  | {
    /**
     * A SASL challenge (RFC 5034, section 4): `+ ` and base64; the client's next line goes to `answer`, an over-long one too, so that
     * the exchange learns of its end.
     */
    readonly kind: "challenge";
    readonly data: Uint8Array;
    readonly answer: (line: Line) => Promise<Reply>;
  }
  | {
    /** Lines of the dialogue's own making, without a frame (MSMP version 1). */
    readonly kind: "lines";
    readonly lines: readonly string[];
    readonly effect?: ReplyEffect;
  };
