/** Where each user logged in lately, in bounded memory. */

/** Settings of {@linkcode FamiliarAddresses}. */
export interface FamiliarAddressesOptions {
  /** How many users are kept at most. */
  readonly users: number;
  /** How many addresses of each. */
  readonly addresses: number;
}

/** The addresses of good logins. Only who has a password gets anything in here, so that a plain LRU does. */
export class FamiliarAddresses {
  readonly #options: FamiliarAddressesOptions;
  readonly #users = new Map<string, ReadonlySet<string>>();

  constructor(options: FamiliarAddressesOptions) {
    this.#options = options;
  }

  /** Notes a good login. */
  add(user: string, address: string): void {
    const addresses = new Set(this.#users.get(user));
    addresses.delete(address);
    addresses.add(address);
    trim(addresses, this.#options.addresses);
    this.#users.delete(user);
    this.#users.set(user, addresses);
    trim(this.#users, this.#options.users);
  }

  /** Whether a user logged in from an address lately. */
  knows(user: string, address: string): boolean {
    return this.#users.get(user)?.has(address) ?? false;
  }
}

/** Drops the oldest when there is one too many. */
function trim(
  kept: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean },
  most: number,
): void {
  if (kept.size <= most) return;
  const oldest = kept.keys().next();
  if (!oldest.done) kept.delete(oldest.value);
}
