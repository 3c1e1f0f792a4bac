/** Slows those who guess, for POP3 and MSMP together: the brute-force guard in the words of logins. */

import { type Clock, systemClock } from "../async/clock.ts";
import type { Ban } from "../contracts/ban.ts";
import { BruteForceGuard } from "./guard/brute_force_guard.ts";
import { type ClientNetworks, clientNetworks } from "../net/networks.ts";
import { logger } from "../log/logging.ts";
import type { Settings } from "../contracts/settings.ts";
import { Semaphore } from "../async/semaphore.ts";
import type { Credentials } from "../contracts/login_service.ts";

const log = logger("guard");

/** Addresses whose networks are kept in memory; when there are more, all are forgotten. */
const MOST_ADDRESSES = 10_000;

/** Logins of one address that are checked at once: as many as may fail before it is shut out. */
const MOST_AT_ONCE = 20;

/** Slows those who guess, and shuts them out for a while. */
export class LoginGuard {
  readonly #guard: BruteForceGuard;
  /** By network; only of those where logins are being checked. */
  readonly #turns = new Map<string, Semaphore>();
  readonly #networks = new Map<string, ClientNetworks>();

  /** @param settings in force now */
  constructor(settings: () => Settings, clock: Clock = systemClock) {
    this.#guard = new BruteForceGuard({
      networksOf: (address) => this.#networksOf(address),
      delays: () => ({
        first: settings().authDelay * 1000,
        longest: settings().authDelayMax * 1000,
      }),
      clock,
    });
  }

  /** Reading an address would else be a tenth of a login's cost. */
  #networksOf(address: string): ClientNetworks {
    let networks = this.#networks.get(address);
    if (networks === undefined) {
      networks = clientNetworks(address);
      if (this.#networks.size >= MOST_ADDRESSES) this.#networks.clear();
      this.#networks.set(address, networks);
    }
    return networks;
  }

  /** Whether an address may not even greet. */
  banned(address: string): boolean {
    return this.#guard.banned(address);
  }

  /** Whether a login must be refused like a wrong one, whatever its credentials are. */
  refuses(address: string, user: string | undefined): boolean {
    return this.#guard.refuses(address, user);
  }

  /**
   * Checks a login and notes what came of it, when its turn has come: without turns, guesses on very many connections would all
   * be checked before the first of them counts, and a right one among them, which is known sooner, would be let in.
   */
  async inTurn<T>(address: string, attempt: () => Promise<T>): Promise<T> {
    const network = this.#networksOf(address).own;
    const turns = this.#turns.get(network) ?? new Semaphore(MOST_AT_ONCE);
    this.#turns.set(network, turns);
    try {
      // One that waits is checked even when its client has left: it counts.
      using _turn = await turns.enter();
      return await attempt();
    } finally {
      if (turns.running === 0) this.#turns.delete(network);
    }
  }

  /**
   * Notes a failure.
   *
   * @param user the name under which it counts; undefined where it counts for the address alone
   * @returns milliseconds that its answer must wait
   */
  failed(address: string, user: string | undefined, credentials: Credentials): number {
    const secret = secretOf(credentials);
    const attempt = {
      address,
      ...(user !== undefined && { user }),
      ...(secret !== undefined && { secret }),
    };
    const { delay, begun } = this.#guard.failed(attempt);
    for (const { kind, target, until, failures } of begun) {
      log.warn("{kind} {target} is banned until {until} after {failures} failed logins", {
        kind,
        target,
        until: new Date(until).toISOString(),
        failures,
      });
    }
    return delay;
  }

  /** Notes a good login. */
  succeeded(address: string, user: string): void {
    this.#guard.succeeded(address, user);
  }

  /** The bans in force, oldest first. */
  bans(): readonly Ban[] {
    return this.#guard.bans();
  }

  /** Ends the bans of an address, network or user. Returns whether there was anything to end. */
  lift(target: string): boolean {
    return this.#guard.lift(target);
  }
}

/** What was tried, where it can be seen: the same again counts once. */
function secretOf(credentials: Credentials): string | undefined {
  switch (credentials.kind) {
    case "password":
      return credentials.password;
    case "bearer":
      return credentials.token;
    case "apop":
    case "scram":
      return undefined;
  }
}
