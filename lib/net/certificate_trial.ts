/** A rehearsal: a handshake of this process with itself, which shows whether the runtime can use a certificate at all. */

import { duplexPair } from "node:stream";
import tls from "node:tls";
import { CertificateError, type CertificateMaterial } from "./certificates.ts";
import { GOOD_KEYS, SecureContexts } from "./secure_contexts.ts";

/** Settings of {@linkcode tryCertificates}. */
export interface TrialOptions {
  /** Milliseconds for each handshake. @default 5000 */
  readonly timeout?: number;
}

/**
 * Reads certificates and shakes hands once with each. What reads well may still be of no use to the TLS layer (a key too
 * short, an unknown curve), and without this the first client would find out.
 *
 * @returns the set, ready for use
 * @throws {CertificateError} naming the first that cannot be used
 */
export async function tryCertificates(
  materials: readonly CertificateMaterial[],
  options: TrialOptions = {},
): Promise<SecureContexts> {
  const { timeout = 5000 } = options;
  const contexts = new SecureContexts(materials);
  for (const material of materials) {
    const alone = new SecureContexts([material]);
    try {
      await shakeHands(alone.select(), timeout);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CertificateError(
        `The certificate in ${material.origin} can be read, but no client could use it (${why}): ${GOOD_KEYS}.`,
        { cause: error },
      );
    }
  }
  return contexts;
}

async function shakeHands(secureContext: tls.SecureContext, timeout: number): Promise<void> {
  const [near, far] = duplexPair();
  type Carrier = ConstructorParameters<typeof tls.TLSSocket>[0];
  const server = new tls.TLSSocket(near as unknown as Carrier, { isServer: true, secureContext });
  // What the certificate says is not in question here, only whether it works.
  const client = tls.connect({
    socket: far as unknown as tls.TLSSocket,
    rejectUnauthorized: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error(`no TLS handshake within ${timeout} ms`)),
    timeout,
  );
  for (const side of [near, far, server, client]) side.on("error", reject);
  server.once("close", () => reject(new Error("the TLS handshake was aborted")));
  client.once("secureConnect", () => resolve());
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    for (const side of [client, server, near, far]) side.destroy();
  }
}
