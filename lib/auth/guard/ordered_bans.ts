/** Bans that administrators order: addresses, whole networks, and users, for as long as they say. */

import type { Clock } from "../../async/clock.ts";
import {
  addressText,
  clientNetworks,
  type Network,
  networkHolds,
  parseAddress,
  parseNetwork,
} from "../../net/networks.ts";
import type { Ban } from "../../contracts/ban.ts";
import { type BanEntry, BanList } from "./ban_list.ts";

/** What can be banned: an address, a network, or a user's name. */
export type BanTarget = Pick<Ban, "kind" | "target">;

/** Each is compared at every login. */
const MOST_NETWORKS = 1000;
const MOST_USERS = 10_000;

/** Bans by order. They hold wherever a user was before, and no flood of other bans pushes them out. */
export class OrderedBans {
  readonly #addresses: BanList;
  readonly #users: BanList;
  readonly #networks = new Map<string, Network>();

  /** @param changed told of each ban that begins, and of each that ends before its time */
  constructor(
    clock: Clock,
    changed: (kind: Ban["kind"], target: string, ban: BanEntry | undefined) => void = () => {},
  ) {
    const list = (kind: Ban["kind"], capacity: number): BanList =>
      new BanList({ kind, capacity, clock, changed: (...change) => changed(kind, ...change) });
    this.#addresses = list("address", MOST_NETWORKS);
    this.#users = list("user", MOST_USERS);
  }

  /** How many there are, at most. */
  get size(): number {
    return this.#addresses.size + this.#users.size;
  }

  /**
   * Bans, or begins a ban anew.
   *
   * @param duration milliseconds
   * @throws {SyntaxError} when the target of kind `address` is none
   */
  add({ kind, target }: BanTarget, duration: number): Ban {
    const length = { failures: 0, duration };
    if (kind === "user") return this.#users.add(target, length);
    // Who is counted together is banned together.
    const network = parseNetwork(target.includes("/") ? target : clientNetworks(target).own);
    const written = networkText(network);
    const ban = this.#addresses.add(written, length);
    this.#networks.set(written, network);
    for (const each of this.#networks.keys()) {
      if (!this.#addresses.holds(each)) this.#networks.delete(each);
    }
    return ban;
  }

  /** Takes what another run, or another machine, knows in place of what is known here. */
  restore(kind: Ban["kind"], bans: readonly (readonly [target: string, BanEntry])[]): void {
    if (kind === "user") return this.#users.restore(bans);
    const readable = bans.filter(([target]) => isNetwork(target));
    this.#addresses.restore(readable);
    this.#networks.clear();
    for (const [target] of readable) this.#networks.set(target, parseNetwork(target));
  }

  /** Whether an address lies in what is banned. */
  holdsAddress(address: string): boolean {
    if (this.#networks.size === 0) return false;
    const octets = parseAddress(address);
    return octets !== undefined &&
      this.#networks.entries().some(([target, network]) =>
        networkHolds(network, octets) && this.#addresses.holds(target)
      );
  }

  /** Whether a user is banned. */
  holdsUser(user: string): boolean {
    return this.#users.holds(user);
  }

  /** Ends the ban of a target as {@linkcode OrderedBans.list} shows it; says whether there was one. */
  lift(target: string): boolean {
    const user = this.#users.lift(target);
    this.#networks.delete(target);
    return this.#addresses.lift(target) || user;
  }

  /** The bans in force. */
  list(): Ban[] {
    return [...this.#addresses.list(), ...this.#users.list()];
  }
}

function isNetwork(target: string): boolean {
  try {
    parseNetwork(target);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** The one form of a network: `192.0.2.0/24`, `192.0.2.7`, `2001:db8::/64`. */
function networkText({ octets, bits }: Network): string {
  const address = addressText(octets);
  return bits === octets.length * 8 ? address : `${address}/${bits}`;
}
