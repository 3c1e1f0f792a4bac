/** The certificates in force: read at the start, tried before they are used, renewed without a dropped session. */

import {
  certificatePaths,
  type CertificateSource,
  certificateSources,
  readCertificateFiles,
  watchCertificateFiles,
} from "./certificate_files.ts";
import { tryCertificates } from "./certificate_trial.ts";
import { CertificateError, type CertificateMaterial, expiryWarnings } from "./certificates.ts";
import type { SecureContexts } from "./secure_contexts.ts";
import { logger } from "../log/logging.ts";
import type { Settings } from "../contracts/settings.ts";
import { StartError } from "./start_error.ts";

const log = logger("tls");

/** Keeps the certificates of the whole server. Disposing ends the watch over their files. */
export class CertificateKeeper implements Disposable {
  readonly #sources: readonly CertificateSource[];
  readonly #contexts: SecureContexts;
  readonly #watch = new AbortController();
  #materials: readonly CertificateMaterial[];

  private constructor(
    sources: readonly CertificateSource[],
    materials: readonly CertificateMaterial[],
    contexts: SecureContexts,
  ) {
    this.#sources = sources;
    this.#materials = materials;
    this.#contexts = contexts;
  }

  /**
   * Reads and tries the certificates that the settings name.
   *
   * @returns undefined when they name none
   * @throws {StartError} when one cannot be used
   */
  static async open(settings: Settings): Promise<CertificateKeeper | undefined> {
    try {
      const { tlsCert, tlsKey, tlsPfx, tlsPass } = settings;
      const password = tlsPass === undefined ? undefined : await readPassword(tlsPass);
      const sources = certificateSources({ tlsCert, tlsKey, tlsPfx, password });
      if (sources.length === 0) return undefined;
      const materials = await readCertificateFiles(sources);
      const contexts = await tryCertificates(materials);
      for (const warning of expiryWarnings(contexts.certificates)) log.warn(warning);
      return new CertificateKeeper(sources, materials, contexts);
    } catch (error) {
      if (error instanceof CertificateError) throw new StartError(error.message, { cause: error });
      throw error;
    }
  }

  /** What workers make their own contexts from. */
  get materials(): readonly CertificateMaterial[] {
    return this.#materials;
  }

  /** For connections of this thread. */
  get contexts(): SecureContexts {
    return this.#contexts;
  }

  /**
   * Reads the files again. Certificates that cannot be used are refused, and the old ones stay.
   *
   * @throws {CertificateError} saying why they are refused
   */
  async reload(): Promise<void> {
    const materials = await readCertificateFiles(this.#sources);
    const { certificates } = await tryCertificates(materials);
    this.#contexts.replace(materials);
    this.#materials = materials;
    for (const warning of expiryWarnings(certificates)) log.warn(warning);
    log.info("Certificates reloaded", {
      certificates: certificates.map(({ origin }) => origin),
    });
  }

  /** Calls `renewed` whenever files have changed and were taken. */
  watch(renewed: () => void): void {
    const changed = async (): Promise<void> => {
      try {
        await this.reload();
        renewed();
      } catch (error) {
        log.error("Cannot use the new certificates, keeping the old ones: {error}", { error });
      }
    };
    watchCertificateFiles(certificatePaths(this.#sources), changed, { signal: this.#watch.signal });
  }

  [Symbol.dispose](): void {
    this.#watch.abort();
  }
}

/** `@FILE` names a file with the password, whose last line end is dropped; `@@…` is a password that begins with @. */
async function readPassword(text: string): Promise<string> {
  if (text.startsWith("@@")) return text.slice(1);
  if (!text.startsWith("@")) return text;
  const path = text.slice(1);
  try {
    return (await Deno.readTextFile(path)).replace(/\r?\n$/, "");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CertificateError(`The password file ${path} of --tls-pass cannot be read: ${why}.`, {
      cause,
    });
  }
}
