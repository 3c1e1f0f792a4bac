/** A maildrop's list of messages on its way between threads: few big pieces, which no thread unpacks at once. */

import type { YieldingTask } from "../../async/yielder.ts";
import type { MessageInfo } from "../../contracts/mail_store.ts";

/** Messages between two looks at the clock. */
const MESSAGES_A_LOOK = 64;
/** Octets that a unique-id may have (RFC 1939, section 7). */
const MOST_OCTETS = 70;

/** Messages in their order. */
export interface PackedMessages {
  /** Unique-ids, one behind the other. */
  readonly ids: Uint8Array<ArrayBuffer>;
  /** Where each ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
}

/** Packs messages, and lets others run in between. */
export async function packMessages(
  messages: readonly MessageInfo[],
  task: YieldingTask,
): Promise<PackedMessages> {
  const { length } = messages;
  const ends = new Uint32Array(length);
  const sizes = new Float64Array(length);
  const encoder = new TextEncoder();
  let ids = new Uint8Array(Math.max(MOST_OCTETS, 32 * length));
  let end = 0;
  for (let index = 0; index < length; index++) {
    const { uid, size } = messages[index]!;
    if (end + MOST_OCTETS > ids.length) {
      const grown = new Uint8Array(Math.ceil(ids.length * 1.5) + MOST_OCTETS);
      grown.set(ids);
      ids = grown;
    }
    end += encoder.encodeInto(uid, ids.subarray(end)).written;
    ends[index] = end;
    sizes[index] = size;
    if (index % MESSAGES_A_LOOK === 0 && task.due()) await task.pause();
  }
  return { ids: ids.slice(0, end), ends, sizes };
}

/** A message of another thread's maildrop. */
export class NumberedMessage implements MessageInfo {
  readonly size: number;
  /** Its place in the maildrop, from 0. */
  readonly index: number;
  readonly #packed: PackedMessages;

  /** @param packed the list that it is one of */
  constructor(packed: PackedMessages, index: number) {
    this.#packed = packed;
    this.index = index;
    this.size = packed.sizes[index]!;
  }

  /** Made when it is asked for: most sessions ask for none. */
  get uid(): string {
    const { ends, ids } = this.#packed;
    const start = this.index === 0 ? 0 : ends[this.index - 1]!;
    return String.fromCharCode(...ids.subarray(start, ends[this.index]!));
  }
}

/** Makes the messages of a list, and lets others run in between. */
export async function unpackMessages(
  packed: PackedMessages,
  task: YieldingTask,
): Promise<NumberedMessage[]> {
  const messages: NumberedMessage[] = [];
  for (let index = 0; index < packed.ends.length; index++) {
    messages.push(new NumberedMessage(packed, index));
    if (index % MESSAGES_A_LOOK === 0 && task.due()) await task.pause();
  }
  return messages;
}
