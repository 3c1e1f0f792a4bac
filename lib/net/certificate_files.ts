/** Certificate files: reading them (main thread only; workers are handed the bytes) and noticing that they changed. */

import { delay } from "../async/delay.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { CertificateError, type CertificateMaterial } from "./certificates.ts";

/** Where one certificate lies. */
export type CertificateSource =
  | {
    readonly kind: "pem";
    readonly chain: string;
    readonly key: string;
    readonly password?: string;
  }
  | { readonly kind: "pfx"; readonly pfx: string; readonly password?: string };

/** What the flags say about certificates. */
export interface CertificateFlags {
  readonly tlsCert: readonly string[];
  readonly tlsKey: readonly string[];
  readonly tlsPfx: string | undefined;
  /** The password itself, already read from its file. */
  readonly password: string | undefined;
}

/**
 * Pairs certificates and keys by their order.
 *
 * @returns an empty list when no certificate is configured
 * @throws {CertificateError} when their numbers differ
 */
export function certificateSources(flags: CertificateFlags): CertificateSource[] {
  const { tlsCert, tlsKey, tlsPfx } = flags;
  if (tlsCert.length !== tlsKey.length) {
    throw new CertificateError(
      `--tls-cert is given ${tlsCert.length} times and --tls-key ${tlsKey.length} times: ` +
        "each certificate needs its key, in the same order.",
    );
  }
  const password = flags.password === undefined ? {} : { password: flags.password };
  const pairs = tlsCert.map((chain, index): CertificateSource => ({
    kind: "pem",
    chain,
    key: tlsKey[index] ?? "",
    ...password,
  }));
  return tlsPfx === undefined ? pairs : [...pairs, { kind: "pfx", pfx: tlsPfx, ...password }];
}

/** The files of some sources. */
export function certificatePaths(sources: readonly CertificateSource[]): string[] {
  return sources.flatMap((source) =>
    source.kind === "pem" ? [source.chain, source.key] : [source.pfx]
  );
}

/**
 * Reads the files of some sources.
 *
 * @throws {CertificateError} when one cannot be read
 */
export function readCertificateFiles(
  sources: readonly CertificateSource[],
): Promise<CertificateMaterial[]> {
  return Promise.all(sources.map(async (source): Promise<CertificateMaterial> => {
    const password = source.password === undefined ? {} : { password: source.password };
    if (source.kind === "pfx") {
      return { kind: "pfx", origin: source.pfx, pfx: await readFile(source.pfx), ...password };
    }
    const [chain, key] = await Promise.all([readFile(source.chain), readFile(source.key)]);
    return { kind: "pem", origin: source.chain, chain, key, ...password };
  }));
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.PermissionDenied
      ? "the server's account may not read it"
      : fileErrorReason(error);
    throw new CertificateError(`The certificate file ${path} cannot be read: ${why}.`, {
      cause: error,
    });
  }
}

/** Settings of {@linkcode watchCertificateFiles}. */
export interface WatchOptions {
  /** Milliseconds between two looks. @default 2000 */
  readonly interval?: number;
  /** Waits from one look to the next. @default {it keeps no process alive} */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/**
 * Calls `changed` when files have become others and have been at rest for one interval. Looks at them instead of asking
 * the system for notices: certificates are exchanged by renaming, by symbolic links, and over network file systems,
 * which notices about a path miss. A file that is away for a moment is not a change.
 *
 * @param paths of files; links are followed
 */
export function watchCertificateFiles(
  paths: readonly string[],
  changed: () => void,
  options: WatchOptions,
): void {
  const { interval = 2000, signal, pause = unseen } = options;
  let known: string | undefined;
  let seen: string | undefined;

  const look = async (): Promise<void> => {
    const now = await fingerprint(paths);
    if (signal.aborted) return;
    if (now !== undefined) {
      known ??= now;
      if (now !== known && now === seen) {
        known = now;
        changed();
      }
    }
    seen = now;
    // Rejected when the watch ends.
    pause(interval, signal).then(look, () => {});
  };
  look();
}

function unseen(milliseconds: number, signal: AbortSignal): Promise<void> {
  return delay(milliseconds, { signal, persistent: false });
}

/** What tells one version of some files from the next, or undefined when one of them is not there now. */
async function fingerprint(paths: readonly string[]): Promise<string | undefined> {
  try {
    const facts = await Promise.all(paths.map(async (path) => {
      const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
      return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ");
    }));
    return facts.join("\n");
  } catch {
    // Whatever keeps a file from being looked at now: nothing can be taken from it, so nothing has changed yet.
    return undefined;
  }
}
