/** The table of SASL mechanisms, strongest first: what CAPA and AUTH list follows from it. */

import { asciiUpperCase } from "../bytes/ascii_upper_case.ts";
import { oauthBearer, xoauth2 } from "./bearer.ts";
import { login } from "./login.ts";
import type { Mechanism, OfferFacts } from "./mechanism.ts";
import { plain } from "./plain.ts";
import { scramSha256 } from "./scram.ts";

/** All mechanisms. Clients that take the first they know take the strongest. */
export const mechanisms: readonly Mechanism[] = [scramSha256, oauthBearer, xoauth2, plain, login];

/** Those that can succeed under these circumstances; others are not offered (curl tries one, and falls back to none). */
export function offeredMechanisms(facts: OfferFacts): Mechanism[] {
  return mechanisms.filter((mechanism) => mechanism.offered(facts));
}

/**
 * Finds an offered mechanism by name.
 *
 * @param name in any case, as the client said it
 */
export function findMechanism(name: string, facts: OfferFacts): Mechanism | undefined {
  const wanted = asciiUpperCase(name);
  return offeredMechanisms(facts).find((mechanism) => mechanism.name === wanted);
}
