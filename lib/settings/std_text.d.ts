// Types for what we use of @std/text, whose npm package carries JavaScript alone.

/** The word with the smallest distance to the given one; throws where there are no words. */
export function closestString(
  givenWord: string,
  possibleWords: readonly string[],
  options?: { readonly caseSensitive?: boolean },
): string;

/** How many characters must be put in, taken out or changed to make one text of the other. */
export function levenshteinDistance(left: string, right: string): number;
