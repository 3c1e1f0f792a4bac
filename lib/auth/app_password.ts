/** App passwords: made by the server, shown once, one for each program that fetches mail. */

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const CHARACTERS = 24;
const GROUP = 4;
const MAX_LABEL_OCTETS = 64;

/**
 * Makes an app password of 120 random bits: six groups of four letters and digits (RFC 4648, section 6), such as
 * `k3vq-7bna-…`.
 *
 * @param random fills octets with chance
 */
export function makeAppPassword(
  random: (octets: Uint8Array<ArrayBuffer>) => void = (octets) =>
    void crypto.getRandomValues(octets),
): string {
  const octets = new Uint8Array(CHARACTERS);
  random(octets);
  // 256 is a multiple of 32, so each character is as likely as any other.
  const characters = Array.from(octets, (octet) => ALPHABET[octet % ALPHABET.length]!);
  const groups: string[] = [];
  for (let start = 0; start < CHARACTERS; start += GROUP) {
    groups.push(characters.slice(start, start + GROUP).join(""));
  }
  return groups.join("-");
}

/** Says what keeps a text from being an app password's label: undefined when nothing does. */
export function refuseLabel(label: string): string | undefined {
  if (label === "") return "it is empty";
  if (new TextEncoder().encode(label).length > MAX_LABEL_OCTETS) {
    return `it is longer than ${MAX_LABEL_OCTETS} octets`;
  }
  if (/[\p{Cc}\u2028\u2029]/u.test(label)) return "it holds a control character";
  if (!label.isWellFormed() || label.includes("\ufffd")) return "it is not valid UTF-8";
  return undefined;
}
