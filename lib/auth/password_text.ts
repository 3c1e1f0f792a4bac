/** How a password's text becomes octets, so that the same password typed on two systems is the same. */

/** Spaces other than U+0020 (RFC 3454, table C.1.2). */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** Characters that are commonly mapped to nothing (RFC 3454, table B.1). */
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;
/** What SASLprep prohibits (RFC 4013, section 2.3), and code points without a character. */
const PROHIBITED =
  /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u06dd\u070f\u2028\u2029\u206a-\u206f\ufff9-\ufffd\u2ff0-\u2ffb\u0340\u0341\u200e\u200f\u202a-\u202e]|[\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/**
 * Prepares a password: SASLprep (RFC 4013) without its check for text of both directions. A password that SASLprep would refuse
 * is taken as it is, so that nobody is locked out (as PostgreSQL does). Passwords in ASCII never change.
 *
 * @param password as it was given
 * @returns its octets
 */
export function passwordOctets(password: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  // deno-lint-ignore no-control-regex -- all of ASCII is what is meant
  if (/^[\x00-\x7f]*$/.test(password)) return encoder.encode(password);
  const prepared = password.replace(SPACES, " ").replace(NOTHING, "").normalize("NFKC");
  return encoder.encode(prepared === "" || PROHIBITED.test(prepared) ? password : prepared);
}
