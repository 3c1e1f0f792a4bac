/** Certificates as they come in files: reading PEM and PKCS#12 bytes, checking that chain and key belong together. */

import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import tls from "node:tls";

/** The bytes of one certificate with its key. Can be posted to a worker. */
export type CertificateMaterial =
  | {
    readonly kind: "pem";
    /** Where it came from, for messages. */
    readonly origin: string;
    /** The server's certificate first, then the ones that lead to the authority. */
    readonly chain: Uint8Array;
    readonly key: Uint8Array;
    /** Opens the key, where it is encrypted. */
    readonly password?: string;
  }
  | {
    /** PKCS#12 (RFC 7292). */
    readonly kind: "pfx";
    readonly origin: string;
    readonly pfx: Uint8Array;
    readonly password?: string;
  };

/** One certificate that was read and checked. */
export interface Certificate {
  readonly origin: string;
  /** The whole chain in PEM, the server's own certificate first. */
  readonly chain: string;
  /** The private key in PEM (PKCS#8), not encrypted. */
  readonly key: string;
  /** DNS names and IP addresses that it is valid for, in lower case; wildcards as they stand. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the certificate, in hexadecimal with colons. */
  readonly fingerprint: string;
}

/** A certificate or key that cannot be used. The message is a sentence for the administrator. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const DAY = 86_400_000;

/**
 * Reads one certificate with its key and checks that they belong together.
 *
 * @throws {CertificateError} when something cannot be read, a password is wrong, or chain and key do not fit
 */
export function readCertificate(material: CertificateMaterial): Certificate {
  const { chain, key } = material.kind === "pem" ? fromPem(material) : fromPfx(material);
  const parsed = chain.map((pem) => parseX509(pem, material.origin));
  const leaf = parsed[0];
  if (leaf === undefined) {
    throw new CertificateError(
      `${material.origin} holds no certificate: expected a block that begins with -----BEGIN CERTIFICATE-----.`,
    );
  }
  if (!leaf.checkPrivateKey(key)) {
    throw new CertificateError(
      `The private key does not belong to the certificate in ${material.origin}: ` +
        "give the key that the certificate was made for; the server's own certificate comes first in its file.",
    );
  }
  return {
    origin: material.origin,
    chain: chain.join("\n") + "\n",
    key: key.export({ type: "pkcs8", format: "pem" }).toString(),
    names: namesOf(leaf),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    fingerprint: leaf.fingerprint256,
  };
}

function fromPem(
  material: CertificateMaterial & { kind: "pem" },
): { chain: readonly string[]; key: KeyObject } {
  const decoder = new TextDecoder();
  const chain = decoder.decode(material.chain).match(PEM_CERTIFICATE) ?? [];
  return { chain, key: parseKey(decoder.decode(material.key), material) };
}

function parseKey(pem: string, material: CertificateMaterial): KeyObject {
  try {
    return createPrivateKey(
      material.password === undefined ? pem : { key: pem, passphrase: material.password },
    );
  } catch (error) {
    const encrypted = pem.includes("ENCRYPTED");
    const hint = encrypted
      ? "it is encrypted, and the password (tls-pass) is missing or wrong"
      : "expected a block that begins with -----BEGIN PRIVATE KEY-----";
    throw new CertificateError(
      `The private key for ${material.origin} cannot be read: ${hint}.`,
      { cause: error },
    );
  }
}

function fromPfx(
  material: CertificateMaterial & { kind: "pfx" },
): { chain: readonly string[]; key: KeyObject } {
  let opened: PfxContents;
  try {
    const context = tls.createSecureContext({
      pfx: Buffer.from(material.pfx),
      passphrase: material.password ?? "",
    });
    opened = context.context as PfxContents;
  } catch (error) {
    throw new CertificateError(
      `${material.origin} cannot be opened as PKCS#12: the password (tls-pass) is wrong, or it is no such file.`,
      { cause: error },
    );
  }
  const { cert, key, ca } = opened;
  if (typeof cert !== "string" || typeof key !== "string") {
    throw new CertificateError(
      `${material.origin} was opened, but a certificate or a private key is missing in it: export both into one file.`,
    );
  }
  // The runtime sends the leaf alone: the other certificates are put behind it here, so that clients find the way to
  // their authority. A self-signed root among them is left out; who trusts it has it.
  const others = (Array.isArray(ca) ? ca : ca === undefined ? [] : [ca])
    .flatMap((pem) => String(pem).match(PEM_CERTIFICATE) ?? [])
    .filter((pem) => !isSelfIssued(parseX509(pem, material.origin)));
  return {
    chain: [...(cert.match(PEM_CERTIFICATE) ?? []), ...others],
    key: parseKey(key, { ...material, password: "" }),
  };
}

/** What Deno's secure context carries once a PKCS#12 file was opened (ext/node/polyfills, `createSecureContext`). */
interface PfxContents {
  readonly cert?: unknown;
  readonly key?: unknown;
  readonly ca?: unknown;
}

function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.issuer === certificate.subject;
}

function parseX509(pem: string, origin: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new CertificateError(`A certificate in ${origin} is damaged and cannot be read.`, {
      cause: error,
    });
  }
}

/** Subject alternative names (RFC 6125, section 6.4: the common name counts only where there are none). */
function namesOf(certificate: X509Certificate): string[] {
  const names: string[] = [];
  for (const entry of (certificate.subjectAltName ?? "").split(/,\s*/)) {
    const found = /^(?:DNS|IP Address):(.+)$/.exec(entry);
    if (found?.[1] !== undefined) names.push(found[1].toLowerCase());
  }
  if (names.length > 0) return names;
  const common = /(?:^|\n|,\s*)CN=([^\n,]+)/.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

/**
 * Whether a certificate's name covers a host name: exactly, or by a wildcard that stands for one whole first label
 * (RFC 6125, section 6.4.3).
 *
 * @param pattern in lower case
 * @param host in lower case, without a final dot
 */
export function nameCovers(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  if (!pattern.startsWith("*.")) return false;
  const dot = host.indexOf(".");
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}

/** Settings of {@linkcode expiryWarnings}. */
export interface ExpiryOptions {
  /** Milliseconds since 1970. @default Date.now() */
  readonly now?: number;
  /** From how many days before the end a certificate is worth a warning. @default 14 */
  readonly days?: number;
}

/** A sentence for each certificate that is not valid yet, not valid any more, or soon will not be. */
export function expiryWarnings(
  certificates: readonly Certificate[],
  options: ExpiryOptions = {},
): string[] {
  const { now = Date.now(), days = 14 } = options;
  return certificates.flatMap((certificate) => {
    const { origin, notBefore, notAfter } = certificate;
    if (now < notBefore.getTime()) {
      return [`The certificate in ${origin} is valid only from ${notBefore.toISOString()} on.`];
    }
    const left = notAfter.getTime() - now;
    if (left < 0) {
      return [`The certificate in ${origin} ended on ${notAfter.toISOString()}: renew it.`];
    }
    if (left > days * DAY) return [];
    const whole = Math.floor(left / DAY);
    return [
      `The certificate in ${origin} ends in ${whole} ${whole === 1 ? "day" : "days"}, ` +
      `on ${notAfter.toISOString()}: renew it.`,
    ];
  });
}
