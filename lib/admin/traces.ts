/** Traces that administrators have asked for: bounded in time and lines, for those who do not keep up as well. */

import { printable } from "../bytes/printable.ts";
import type { Observer } from "../contracts/event.ts";
import type { TraceManagement, TraceOptions } from "../contracts/management.ts";
import type { TraceTarget } from "../contracts/trace.ts";
import { canonicalAddress } from "../net/networks.ts";

/** Milliseconds after which a trace ends by itself. */
const LONGEST = 15 * 60 * 1000;
/** Lines after which it does. */
const MOST_LINES = 50_000;
/** Lines that wait for an administrator who does not read. */
const MOST_WAITING = 5000;

/** What traces are made with. */
export interface TracesOptions {
  /** The name under which a user is kept. */
  readonly canonical: (name: string) => string;
  /** Told when there are others than before: workers must know. */
  readonly changed: () => void;
  /** Milliseconds after which a trace ends by itself. @default {900000} */
  readonly longest?: number;
}

interface OpenTrace {
  readonly target: TraceTarget;
  waiting: string[];
  dropped: number;
  wake: () => void;
}

/** Characters of a name that are told, of at most three octets each. */
const MOST_SHOWN = 100;

/** All traces. */
export class Traces implements TraceManagement {
  readonly #options: TracesOptions;
  readonly #open = new Map<number, OpenTrace>();
  #targets: readonly TraceTarget[] | undefined;
  #last = 0;

  constructor(options: TracesOptions) {
    this.#options = options;
  }

  /** Whose sessions are traced; undefined where nobody's are, and the same object until that changes. */
  get targets(): readonly TraceTarget[] | undefined {
    return this.#targets;
  }

  /** Takes the lines of traced sessions. */
  readonly observe: Observer = (event) => {
    if (event.type !== "traced") return;
    for (const id of event.targets) {
      const trace = this.#open.get(id);
      if (trace === undefined) continue;
      const room = Math.max(0, MOST_WAITING - trace.waiting.length);
      trace.waiting.push(...event.lines.slice(0, room));
      trace.dropped += Math.max(0, event.lines.length - room);
      trace.wake();
    }
  };

  async *open(
    subject: string,
    { bodies }: TraceOptions,
    signal: AbortSignal,
  ): AsyncGenerator<readonly string[]> {
    const address = canonicalAddress(subject);
    const target: TraceTarget = {
      id: ++this.#last,
      subject: address ?? this.#options.canonical(subject),
      kind: address === undefined ? "user" : "address",
      bodies,
    };
    const { longest = LONGEST } = this.#options;
    const late = AbortSignal.any([signal, AbortSignal.timeout(longest)]);
    const trace: OpenTrace = { target, waiting: [], dropped: 0, wake: () => {} };
    this.#open.set(target.id, trace);
    this.#changed();
    let told = 0;
    try {
      // A name may have more octets than a line.
      const shown = printable(target.subject, MOST_SHOWN);
      yield [`(tracing the ${target.kind} ${shown}; an empty line ends it)`];
      while (!late.aborted && told < MOST_LINES) {
        if (trace.waiting.length === 0) await this.#wait(trace, late);
        const lines = trace.waiting;
        trace.waiting = [];
        if (trace.dropped > 0) lines.push(`(${trace.dropped} lines lost)`);
        trace.dropped = 0;
        told += lines.length;
        if (lines.length > 0) yield lines;
      }
      if (!signal.aborted) {
        yield [
          late.aborted
            ? `(ended: ${Math.round(longest / 60_000)} minutes are over)`
            : `(ended: ${MOST_LINES} lines were told)`,
        ];
      }
    } finally {
      this.#open.delete(target.id);
      this.#changed();
    }
  }

  async #wait(trace: OpenTrace, late: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    trace.wake = resolve;
    late.addEventListener("abort", () => resolve(), { once: true });
    if (!late.aborted) await promise;
  }

  #changed(): void {
    const targets = [...this.#open.values()].map(({ target }) => target);
    this.#targets = targets.length === 0 ? undefined : targets;
    this.#options.changed();
  }
}
