/** Listens for LMTP clients, and serves those who may deliver: this machine, and named networks. */

import { isLoopback, NetworkList } from "../net/networks.ts";
import { plainAddress } from "../net/endpoint.ts";
import { logger } from "../log/logging.ts";
import type { LmtpServices } from "./services.ts";
import { LmtpSession } from "./session.ts";

const log = logger("lmtp");

/** Clients that are served at once; further ones wait in the listen backlog. */
const MOST_CLIENTS = 100;
/** Milliseconds that a client may say nothing, or not read (RFC 5321, section 4.5.3.2). */
const SILENCE_MS = 300_000;
/** The socket's mode: like loopback, it is open to every program of the machine. */
const SOCKET_MODE = 0o666;

/** Where an LMTP server listens: an address with a port, or the path of a socket. */
export type LmtpPlace =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/** Serves LMTP. */
export class LmtpServer {
  readonly #listener: Deno.Listener;
  readonly #services: LmtpServices;
  readonly #networks: NetworkList;
  readonly #clients = new Set<Deno.Conn>();
  #room: PromiseWithResolvers<void> | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isClosing = false;

  /**
   * Opens the port or the socket; a socket that a dead process left is replaced.
   *
   * @param networks those besides loopback whose clients are served
   * @throws {Error} when it cannot be opened
   */
  constructor(place: LmtpPlace, networks: readonly string[], services: LmtpServices) {
    this.#services = services;
    this.#networks = new NetworkList(networks);
    if ("path" in place) {
      removeSocket(place.path);
      this.#listener = Deno.listen({ transport: "unix", path: place.path }) as Deno.Listener;
      Deno.chmodSync(place.path, SOCKET_MODE);
    } else this.#listener = Deno.listen(place) as Deno.Listener;
  }

  /** Where it listens. */
  get address(): Deno.Addr {
    return this.#listener.addr;
  }

  /** Begins to serve. */
  run(): void {
    this.#ended = this.#accept();
  }

  /** Accepts no more; messages that are being received are delivered, idle clients are let go. */
  async close(patience: number): Promise<void> {
    this.#isClosing = true;
    this.#listener.close();
    const late = setTimeout(() => this.#clients.forEach(closeQuietly), patience);
    for (const client of this.#clients) if (!this.#busy.has(client)) closeQuietly(client);
    while (this.#clients.size > 0) {
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    }
    clearTimeout(late);
    await this.#ended;
  }

  /** Clients from whom a message is being received. */
  readonly #busy = new Set<Deno.Conn>();

  async #accept(): Promise<void> {
    while (!this.#isClosing) {
      while (this.#clients.size >= MOST_CLIENTS) {
        this.#room = Promise.withResolvers();
        await this.#room.promise;
      }
      let client: Deno.Conn;
      try {
        client = await this.#listener.accept();
      } catch (error) {
        if (this.#isClosing) return;
        log.error("Cannot accept LMTP connections: {error}", { error });
        await new Promise((resolve) => setTimeout(resolve, 1000));
        continue;
      }
      this.#clients.add(client);
      void this.#serve(client);
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    const address = addressOf(client);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watched = async <T>(work: Promise<T>): Promise<T> => {
      timer = setTimeout(() => closeQuietly(client), SILENCE_MS);
      try {
        return await work;
      } finally {
        clearTimeout(timer);
      }
    };
    try {
      if (address !== undefined && !isLoopback(address) && !this.#networks.holds(address)) {
        log.warn("An LMTP client from {address} was refused: it is in none of --lmtp-networks", {
          address,
        });
        await client.write(new TextEncoder().encode("554 5.7.1 You may not deliver here\r\n"));
        return;
      }
      await new LmtpSession({
        name: address ?? "local",
        read: (into) => watched(client.read(into)),
        write: (octets) => watched(client.write(octets)),
        receiving: (isReceiving) => {
          if (isReceiving) this.#busy.add(client);
          else {
            this.#busy.delete(client);
            return !this.#isClosing;
          }
          return true;
        },
      }, this.#services).run();
    } catch (error) {
      log.debug("An LMTP connection failed: {error}", { error });
    } finally {
      this.#busy.delete(client);
      this.#clients.delete(client);
      closeQuietly(client);
      this.#room?.resolve();
    }
  }
}

/** The client's IP address; undefined behind a socket of this machine. */
function addressOf(client: Deno.Conn): string | undefined {
  const { remoteAddr } = client;
  return "hostname" in remoteAddr ? plainAddress(remoteAddr.hostname) : undefined;
}

function removeSocket(path: string): void {
  try {
    if (Deno.lstatSync(path).isSocket) Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Closes what may be closed already. */
function closeQuietly(client: Deno.Conn): void {
  try {
    client.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
