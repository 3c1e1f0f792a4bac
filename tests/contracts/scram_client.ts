/** SCRAM-SHA-256 as a client computes it (RFC 5802, section 3), for tests of servers. */

import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { ScramParameters } from "../../lib/contracts/login_service.ts";

/** Computes the proof that a client sends, and the signature that it expects. */
export function scramClient(
  password: string,
  { salt, iterations }: ScramParameters,
  authMessage: string,
): { readonly proof: Uint8Array; readonly serverSignature: Uint8Array } {
  const hmac = (key: Uint8Array, text: string): Buffer =>
    createHmac("sha256", key).update(text).digest();
  const salted = pbkdf2Sync(password, Buffer.from(salt), iterations, 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const signature = hmac(createHash("sha256").update(clientKey).digest(), authMessage);
  return {
    proof: new Uint8Array(clientKey.map((octet, index) => octet ^ signature[index]!)),
    serverSignature: new Uint8Array(hmac(hmac(salted, "Server Key"), authMessage)),
  };
}
