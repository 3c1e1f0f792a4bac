/** A byte stream of given pieces, as a transformer gives one. */

/**
 * Gives each piece by itself, when it is asked for.
 *
 * @param how.fails what it ends with instead of its end
 * @param how.cancelled told of a reader that leaves, with its reason
 */
export function byteStream(
  pieces: readonly Uint8Array[],
  how: { readonly fails?: Error; readonly cancelled?: (reason: unknown) => void } = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = pieces.filter((piece) => piece.length > 0);
  return new ReadableStream({
    type: "bytes",
    pull(controller): void {
      const piece = left.shift();
      if (piece !== undefined) return controller.enqueue(piece.slice());
      if (how.fails !== undefined) return controller.error(how.fails);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel(reason): void {
      how.cancelled?.(reason);
    },
  });
}
