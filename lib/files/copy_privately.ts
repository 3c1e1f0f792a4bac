/** Copies a file so that only its owner can read the copy, at no moment anybody else. */

const CHUNK = 1024 * 1024;

/**
 * Copies a file to one of mode 0600, made where there is none, and syncs it.
 *
 * @throws {Error} when one cannot be read or the other cannot be written; what was written stays
 */
export function copyPrivately(from: string, to: string): void {
  using source = Deno.openSync(from);
  using target = Deno.openSync(to, {
    write: true,
    create: true,
    truncate: true,
    mode: 0o600,
  });
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const octets = source.readSync(buffer);
    if (octets === null) break;
    for (let at = 0; at < octets;) at += target.writeSync(buffer.subarray(at, octets));
  }
  target.syncSync();
}
