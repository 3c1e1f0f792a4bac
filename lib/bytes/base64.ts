/** Strict base64, as SASL exchanges use it. */

/** What `Uint8Array.fromBase64` would take besides: white space. The length is its own matter. */
const ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Octets beyond ASCII become U+FFFD or letters that the alphabet does not have; a byte order mark stays, to be
 * refused.
 */
const ASCII = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes base64 (RFC 4648, section 4) strictly, as RFC 5034, section 4, wants it: the standard alphabet only,
 * no white space, padding present, unused bits zero.
 *
 * @param text what to decode, as text or as its ASCII octets
 * @returns the octets, or undefined where it is not base64
 */
export function decodeBase64(text: string | Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const written = typeof text === "string" ? text : ASCII.decode(text);
  if (written.length % 4 !== 0 || !ALPHABET.test(written)) return undefined;
  try {
    return Uint8Array.fromBase64(written, { lastChunkHandling: "strict" });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Encodes octets, or a text's UTF-8 octets, as base64 with padding and without line ends (RFC 4648, section 4).
 */
export function encodeBase64(data: Uint8Array | string): string {
  return (typeof data === "string" ? new TextEncoder().encode(data) : data).toBase64();
}
