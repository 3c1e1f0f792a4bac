/** What is said to the workers that check other servers' password hashes, and what they answer. */

import type { ForeignHash } from "../../contracts/user_source.ts";

/** What a worker is asked. */
export interface ForeignQuestion {
  readonly password: string;
  /** Milliseconds after which it should be given up. */
  readonly timeLimit: number;
  /** The user's hash; absent for a name that has none. */
  readonly own?: ForeignHash | undefined;
  /** What is checked besides, so that a refusal takes as long for everybody; absent where the user's own costs as much. */
  readonly decoy?: ForeignHash | undefined;
  /** Milliseconds that checking the decoy takes lately, to be spent in its place. */
  readonly spend?: number | undefined;
}

/** What a worker answers. */
export type ForeignAnswer =
  | { readonly right: boolean; readonly decoyTook?: number }
  | { readonly trouble: string };

/** What a worker says when it has started, before any answer. */
export const STARTED = "started";
