/** Guesses what a misspelled name was meant to be. */

// @ts-types="./std_text.d.ts"
import { closestString } from "@std/text/closest-string";
// @ts-types="./std_text.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** Longer than every name there is; comparing costs the product of both lengths. */
const LONGEST = 60;

/**
 * Finds the name nearest to a misspelled one.
 *
 * @param names what it could have been
 * @returns undefined when none is near
 */
export function nearest(misspelled: string, names: readonly string[]): string | undefined {
  if (names.length === 0 || misspelled.length > LONGEST) return undefined;
  const name = closestString(misspelled, names);
  // Two for four letters and more, because two letters that changed places count as two.
  const allowed = misspelled.length < 4 ? 1 : Math.max(2, Math.floor(misspelled.length / 3));
  return levenshteinDistance(misspelled.toLowerCase(), name.toLowerCase()) <= allowed
    ? name
    : undefined;
}

/**
 * The end of a sentence that names the nearest name.
 *
 * @param show makes of the name what is typed
 * @returns empty when none is near
 */
export function didYouMean(
  misspelled: string,
  names: readonly string[],
  show: (name: string) => string = (name) => name,
): string {
  const name = nearest(misspelled, names);
  return name === undefined ? "" : `; did you mean ${show(name)}?`;
}
