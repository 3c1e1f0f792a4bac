/** Capitals as the protocols mean them. */

/**
 * Turns the letters a to z into capitals and leaves all else: `String.toUpperCase` would make ASCII of letters beyond it
 * (`ſ` becomes `S`, `ı` becomes `I`).
 *
 * @example
 * ```ts
 * asciiUpperCase("uidl"); // "UIDL"
 * asciiUpperCase("uıdl"); // "UıDL"
 * ```
 */
export function asciiUpperCase(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
