/** The certificates in force: which one a client gets, and how they are exchanged while the server runs. */

import tls from "node:tls";
import {
  type Certificate,
  CertificateError,
  type CertificateMaterial,
  nameCovers,
  readCertificate,
} from "./certificates.ts";

/** Settings of {@linkcode SecureContexts}. */
export interface SecureContextsOptions {
  /** The oldest version that is spoken. @default "TLSv1.2" */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
}

/** What to do about a key that the TLS layer does not take. */
export const GOOD_KEYS = "use a key of RSA with 2048 bits or more, P-256, P-384, P-521 or Ed25519";

interface Entry {
  readonly certificate: Certificate;
  readonly context: tls.SecureContext;
}

/**
 * A set of certificates, chosen by the name that a client asks for (RFC 6066, section 3). The first one stands in for
 * unknown names. Shared by all connections of a thread: a connection takes its context when its handshake begins, so
 * that exchanging the set leaves running ones alone.
 */
export class SecureContexts {
  readonly #minVersion: "TLSv1.2" | "TLSv1.3";
  #entries: readonly Entry[];

  /** @throws {CertificateError} when there is no certificate, or one cannot be used */
  constructor(materials: readonly CertificateMaterial[], options: SecureContextsOptions = {}) {
    this.#minVersion = options.minVersion ?? "TLSv1.2";
    this.#entries = this.#read(materials);
  }

  /** What is in force now, in order. */
  get certificates(): readonly Certificate[] {
    return this.#entries.map((entry) => entry.certificate);
  }

  /**
   * Puts another set in force for the handshakes that begin from now on.
   *
   * @throws {CertificateError} when one of them cannot be used; then the old set stays
   */
  replace(materials: readonly CertificateMaterial[]): void {
    this.#entries = this.#read(materials);
  }

  /** The context for the name that a client asked for; the first one when it asked for none or for an unknown one. */
  select(serverName?: string): tls.SecureContext {
    const first = this.#entries[0];
    if (first === undefined) throw new CertificateError("There is no certificate.");
    if (serverName === undefined) return first.context;
    const host = serverName.toLowerCase().replace(/\.$/, "");
    const covers = (entry: Entry): boolean =>
      entry.certificate.names.some((name) => nameCovers(name, host));
    return (this.#entries.find(covers) ?? first).context;
  }

  /** Whether the client's name makes a difference. */
  get several(): boolean {
    return this.#entries.length > 1;
  }

  #read(materials: readonly CertificateMaterial[]): readonly Entry[] {
    if (materials.length === 0) {
      throw new CertificateError("TLS was asked for without a certificate: give at least one.");
    }
    return materials.map((material) => {
      const certificate = readCertificate(material);
      return { certificate, context: this.#contextOf(certificate) };
    });
  }

  #contextOf(certificate: Certificate): tls.SecureContext {
    try {
      // Each context has its own minVersion: one that comes out of SNICallback without it would let older versions in.
      return tls.createSecureContext({
        cert: certificate.chain,
        key: certificate.key,
        minVersion: this.#minVersion,
        maxVersion: "TLSv1.3",
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CertificateError(
        `The certificate in ${certificate.origin} cannot be used (${why}): ${GOOD_KEYS}.`,
        { cause: error },
      );
    }
  }
}
