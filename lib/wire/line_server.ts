/** Serves a line protocol: opens ports, leads the dialogue on each connection, and ends them all. */

import { Yielder } from "../async/yielder.ts";
import type { Connection } from "../contracts/connection.ts";
import type { ConnectionSlot, ConnectionSlots } from "../contracts/connection_slots.ts";
import type { CloseReason } from "../contracts/event.ts";
import type { ListenOptions } from "../net/endpoint.ts";
import { Handshakes } from "../net/handshakes.ts";
import { listenTogether } from "../net/listen_together.ts";
import { Listener } from "../net/listener.ts";
import type { SecureContexts } from "../net/secure_contexts.ts";
import { Conversation } from "./conversation.ts";
import { DelayedAnswers } from "./delayed_answers.ts";
import type { Dialogue } from "./dialogue.ts";
import type { Reply } from "./reply.ts";
import { StallClock } from "./stall_guard.ts";

/** What a server is made of. */
export interface LineServerOptions {
  readonly slots: ConnectionSlots;
  /** Certificates; without them there is no TLS. */
  readonly contexts?: SecureContexts | undefined;
  /** Shares the thread between long work and everything else. @default {a new one} */
  readonly yielder?: Yielder | undefined;
  /** Serves a connection that was accepted to its end; must not reject. */
  readonly serve: (
    connection: Connection,
    slot: ConnectionSlot,
    where: ListenOptions,
  ) => Promise<void>;
  /** Whether connections are served that have no dialogue yet. @default {none are} */
  readonly arriving?: () => boolean;
  /** Told of errors of a listener itself, once for each time of trouble. */
  readonly fault: (error: unknown) => void;
  /** Told when connections are accepted again. */
  readonly recovered?: () => void;
}

/** What a dialogue can do with its own connection. */
export interface ConnectionControl {
  /** Ends it at once. */
  close(reason: CloseReason): void;
  /** Waits before an answer; see {@linkcode DelayedAnswers.hold}. */
  penalty(milliseconds: number, gone: AbortSignal): Promise<boolean>;
}

/** A connection that is to be led through its dialogue. */
export interface Meeting<Key> {
  readonly connection: Connection;
  readonly slot: ConnectionSlot;
  /** Tells it from all others. */
  readonly key: Key;
  readonly dialogue: (control: ConnectionControl) => Dialogue;
  /** Told of errors that are neither the client's nor the network's. */
  readonly fault: (error: unknown) => void;
  /** What it is told when it must give its place to another. */
  readonly displaced: Extract<Reply, { kind: "error" }>;
  /** What a client has said that was greeted before. */
  readonly said?: Uint8Array | undefined;
}

/** The connections of one protocol in one thread, and the ports that bring them. */
export class LineServer<Key> {
  readonly yielder: Yielder;
  /** Looks at the waits of all connections. */
  readonly stalls = new StallClock();
  /** Without certificates there are none. */
  readonly handshakes: Handshakes | undefined;
  readonly #options: LineServerOptions;
  readonly #listeners = new Set<Listener>();
  readonly #conversations = new Map<Key, Conversation>();
  readonly #delayed = new DelayedAnswers();
  #emptied: (() => void) | undefined;
  /** Why connections are ended that come now. */
  #over: CloseReason | undefined;

  constructor(options: LineServerOptions) {
    this.#options = options;
    this.yielder = options.yielder ?? new Yielder();
    this.handshakes = options.contexts && new Handshakes(options.contexts);
  }

  /** How many dialogues there are. */
  get size(): number {
    return this.#conversations.size;
  }

  /**
   * Opens a port; nobody is served before {@linkcode LineServer.start}.
   *
   * @returns the address that it has
   * @throws {Error} when it cannot be opened
   */
  listen(where: ListenOptions): Deno.NetAddr {
    const listener = this.#open(where);
    this.#listeners.add(listener);
    return listener.address;
  }

  /**
   * Opens one port at each address.
   *
   * @param port 0 for any free one, the same for all addresses
   * @returns what is open
   * @throws {ListenError} when one cannot be opened
   */
  listenTogether(addresses: readonly string[], port: number): readonly Deno.NetAddr[] {
    const open = (hostname: string, port: number): Listener => this.#open({ hostname, port });
    const listeners = listenTogether(addresses, port, open);
    for (const listener of listeners) this.#listeners.add(listener);
    return listeners.map(({ address }) => address);
  }

  /** Begins to serve on all ports. */
  start(): void {
    for (const listener of this.#listeners) void listener.run();
  }

  /** Gives a connection that no listener brought a slot while it is served. */
  async place(
    connection: Connection,
    serve: (slot: ConnectionSlot) => Promise<void>,
  ): Promise<void> {
    const slot = this.#options.slots.enter(() => connection[Symbol.dispose]());
    await serve(slot);
    slot.free();
  }

  /**
   * Leads a connection through its dialogue. Never rejects.
   *
   * Not asynchronous itself: each frame that waits costs an idle session a third of a kilobyte.
   */
  converse(meeting: Meeting<Key>): Promise<void> {
    const { connection, slot, key, dialogue, fault, displaced, said } = meeting;
    const { address } = connection.peer;
    const close = (reason: CloseReason): void => conversation.close(reason);
    const conversation: Conversation = new Conversation(
      connection,
      dialogue({
        close,
        penalty: (milliseconds, gone) => {
          const end = (): void => close("client-gone");
          return this.#delayed.hold({ address, milliseconds, gone, slot, end });
        },
      }),
      fault,
      this.stalls,
      this.yielder,
    );
    slot.giveWay = () => conversation.dismiss("displaced", displaced);
    this.#conversations.set(key, conversation);
    if (this.#over !== undefined) close(this.#over);
    return conversation.run(said).then(() => {
      this.#conversations.delete(key);
      this.left();
    });
  }

  /** Ends one connection. Returns whether there is a dialogue on it. */
  close(key: Key, reason: CloseReason): boolean {
    const conversation = this.#conversations.get(key);
    conversation?.close(reason);
    return conversation !== undefined;
  }

  /** Accepts no more; connections that are there go on. */
  stopListening(): void {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    this.#listeners.clear();
  }

  /**
   * Accepts no more, but serves those who have connected already, and wait for a slot.
   *
   * @param closed told when all ports are closed
   */
  async retire(closed: () => void): Promise<void> {
    let open = this.#listeners.size;
    const oneClosed = (): void => {
      if (--open === 0) closed();
    };
    await Promise.all([...this.#listeners].map((listener) => listener.retire(oneClosed)));
  }

  /** Accepts no more, and ends all connections, and those that come still. */
  end(reason: CloseReason): void {
    this.#over = reason;
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    for (const conversation of this.#conversations.values()) conversation.close(reason);
  }

  /** Resolves when the last connection has ended. */
  async emptied(): Promise<void> {
    if (this.#isEmpty) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    await promise;
  }

  /** Takes that one has ended, also of those that had no dialogue. */
  left(): void {
    if (this.#isEmpty) this.#emptied?.();
  }

  get #isEmpty(): boolean {
    return this.size === 0 && !this.#options.arriving?.();
  }

  #open(where: ListenOptions): Listener {
    const { slots, serve, fault, recovered } = this.#options;
    const { handshakes } = this;
    return new Listener({
      ...where,
      ...handshakes && { upgrade: (raw: Connection) => handshakes.accept(raw) },
      slots,
      yielder: this.yielder,
      serve: (connection, slot) => serve(connection, slot, where),
      fault,
      ...recovered && { recovered },
    });
  }
}
