/** What an app password may be good for: until when, from where, and whether it deletes; as people write it, and as it is checked. */

import type { AppPasswordTerms } from "../contracts/user_source.ts";
import { canonicalAddress, NetworkList, parseNetwork } from "../net/networks.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** The longest an app password can be good for that has an end, in milliseconds. */
const LONGEST = 100 * 365 * DAY;
/** Networks of one app password. */
const MOST_NETWORKS = 32;

/** A label, and the terms that stand behind it. */
export interface LabelAndTerms {
  readonly label: string;
  readonly terms: AppPasswordTerms;
}

/**
 * Reads `my phone expires=2026-12-31 networks=192.0.2.0/24,2001:db8::/32 read-only`: the terms are the last words.
 *
 * @param now milliseconds since 1970
 * @throws {SyntaxError} a sentence that says which term is wrong
 */
export function readLabelAndTerms(text: string, now: number): LabelAndTerms {
  const words = text.trim().split(/ +/);
  let label = text.trim();
  let terms: AppPasswordTerms = {};
  for (let word = words.pop(); word !== undefined && words.length > 0; word = words.pop()) {
    const term = readTerm(word, now);
    if (term === undefined) break;
    if (Object.keys(term).some((name) => name in terms)) {
      throw new SyntaxError(`${word.split("=")[0]} is given twice`);
    }
    terms = { ...terms, ...term };
    label = label.slice(0, label.length - word.length).trimEnd();
  }
  return { label, terms };
}

/** One term, or undefined for a word of the label. */
function readTerm(word: string, now: number): AppPasswordTerms | undefined {
  if (word === "read-only") return { readOnly: true };
  const [, name, value = ""] = /^(expires|networks)=(.*)$/.exec(word) ?? [];
  if (name === "expires") return { expires: readEnd(value, now) };
  if (name === "networks") return { networks: readNetworks(value) };
  return undefined;
}

function readEnd(text: string, now: number): number {
  const [, amount, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? [];
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z$/.test(text);
  let end = NaN;
  if (amount !== undefined) end = now + Number(amount) * (unit === "d" ? DAY : HOUR);
  // A day is good to its end.
  else if (isDay) end = Date.parse(text) + DAY;
  else if (isTime) end = Date.parse(text);
  if (end > now && end <= now + LONGEST) return end;
  throw new SyntaxError(
    Number.isNaN(end)
      ? "Invalid expires: expected 2026-12-31, 2026-12-31T12:00Z, or a time from now such as 90d or 12h"
      : "Invalid expires: expected a time in the next 100 years",
  );
}

function readNetworks(text: string): readonly string[] {
  const networks = text.split(",").map((each) => {
    const address = canonicalAddress(each);
    const network = address === undefined ? each : `${address}/${address.includes(":") ? 128 : 32}`;
    try {
      parseNetwork(network);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(
        "Invalid networks: expected addresses and networks with commas between, such as 192.0.2.0/24,2001:db8::/32",
      );
    }
    return network;
  });
  if (networks.length <= MOST_NETWORKS) return networks;
  throw new SyntaxError(`Invalid networks: expected at most ${MOST_NETWORKS}`);
}

/** Terms as they are written behind a label; empty where there are none. */
export function termsText({ expires, networks, readOnly }: AppPasswordTerms): string {
  return [
    expires === undefined ? "" : `expires=${new Date(expires).toISOString().slice(0, 19)}Z`,
    networks === undefined ? "" : `networks=${networks.join(",")}`,
    readOnly ? "read-only" : "",
  ].filter((term) => term !== "").join(" ");
}

/** Whether an app password that was right is good for a client. @param now milliseconds since 1970 */
export function isGoodFor(
  { expires = Infinity, networks }: AppPasswordTerms,
  address: string,
  now: number,
): boolean {
  return now < expires && (networks === undefined || new NetworkList(networks).holds(address));
}
