/** Sockets by the system's own calls (Linux): a client by them costs a third of one by `Deno.connect`, which on two cores would measure itself. */

const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
}).symbols;

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const POLLIN = 1;
/** Octets of a `struct pollfd`. */
const ENTRY = 8;

/** Connects to 127.0.0.1, with no-delay. Returns the descriptor. */
export function connectTo(port: number): number {
  const descriptor = libc.socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0) throw new Error("No socket could be made: are there too many open files?");
  libc.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, new Int32Array([1]), 4);
  // struct sockaddr_in: family as the machine writes it, port and address as the network does.
  const address = new Uint8Array([
    AF_INET,
    0,
    port >> 8,
    port & 255,
    127,
    0,
    0,
    1,
    ...Array(8).fill(0),
  ]);
  if (libc.connect(descriptor, address, address.length) !== 0) {
    throw new Error(`127.0.0.1 port ${port} refused the connection.`);
  }
  return descriptor;
}

/** Writes octets, which fit the socket's buffer. */
export function write(descriptor: number, octets: Uint8Array<ArrayBuffer>): void {
  if (Number(libc.write(descriptor, octets, BigInt(octets.length))) !== octets.length) {
    throw new Error("The connection took no more.");
  }
}

/** Reads what is there, or waits for it. Returns 0 at the end. */
export function read(descriptor: number, into: Uint8Array<ArrayBuffer>): number {
  const octets = Number(libc.read(descriptor, into, BigInt(into.length)));
  if (octets < 0) throw new Error("The connection was broken.");
  return octets;
}

/** Closes a descriptor. */
export function close(descriptor: number): void {
  libc.close(descriptor);
}

/** Waits until some of several descriptors can be read. */
export class Poll {
  readonly #entries: DataView<ArrayBuffer>;

  /** @param slots how many descriptors there are */
  constructor(slots: number) {
    this.#entries = new DataView(new ArrayBuffer(slots * ENTRY));
    for (let slot = 0; slot < slots; slot++) this.watch(slot, -1);
  }

  /** Puts a descriptor into a slot; -1 leaves it empty. */
  watch(slot: number, descriptor: number): void {
    this.#entries.setInt32(slot * ENTRY, descriptor, true);
    this.#entries.setInt16(slot * ENTRY + 4, POLLIN, true);
  }

  /** Waits, for at most ten seconds. Throws when nothing happens. */
  wait(): void {
    const entries = this.#entries;
    const ready = libc.poll(
      new Uint8Array(entries.buffer),
      BigInt(entries.byteLength / ENTRY),
      10_000,
    );
    if (ready <= 0) throw new Error("The server said nothing for ten seconds.");
  }

  /** Whether a slot's descriptor can be read since the last {@linkcode Poll.wait}. */
  ready(slot: number): boolean {
    return this.#entries.getInt16(slot * ENTRY + 6, true) !== 0;
  }
}
