/** Readers of values that another thread sent: each gives back what has its shape, built anew, and throws at everything else. */

/** A value that has not the shape that was expected; the message names the field and never repeats the value. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/**
 * Reads one value.
 *
 * @param name of the field, for the error
 * @throws {ShapeError} when it does not fit
 */
export type Reader<T> = (value: unknown, name: string) => T;

/** What a reader gives. */
export type Read<R> = R extends Reader<infer T> ? T : never;

/** A text of at most so many UTF-16 units. */
export function text(most: number): Reader<string> {
  return (value, name) => {
    if (typeof value === "string" && value.length <= most) return value;
    throw new ShapeError(`${name} is no text of at most ${most} characters`);
  };
}

/** A text that matches an expression. */
export function matching(expression: RegExp, most: number): Reader<string> {
  const reader = text(most);
  return (value, name) => {
    const read = reader(value, name);
    if (expression.test(read)) return read;
    throw new ShapeError(`${name} is not written as it should be`);
  };
}

/** A number from `least` to `most`, which is neither NaN nor infinite. */
export function number(least: number, most: number): Reader<number> {
  return (value, name) => {
    if (typeof value === "number" && value >= least && value <= most) return value;
    throw new ShapeError(`${name} is no number from ${least} to ${most}`);
  };
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, name) => {
    if (Number.isSafeInteger(value)) {
      const read = value as number;
      if (read >= least && read <= most) return read;
    }
    throw new ShapeError(`${name} is no whole number from ${least} to ${most}`);
  };
}

/** `true` or `false`. */
export function truth(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw new ShapeError(`${name} is neither true nor false`);
}

/** One of several words. */
export function oneOf<const W extends string>(...words: readonly W[]): Reader<W> {
  return (value, name) => {
    const word = words.find((each) => each === value);
    if (word !== undefined) return word;
    throw new ShapeError(`${name} is none of ${words.join(", ")}`);
  };
}

/** `undefined`, or what another reader takes. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, name) => value === undefined ? undefined : reader(value, name);
}

/** At most so many octets in memory that no other thread can change. */
export function octets(most: number): Reader<Uint8Array<ArrayBuffer>> {
  return (value, name) => {
    if (
      value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.length <= most
    ) return new Uint8Array(value);
    throw new ShapeError(`${name} is no array of at most ${most} octets`);
  };
}

/** A list of values of one kind. @param most how many at most */
export function listOf<T>(reader: Reader<T>, most: number): Reader<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length > most) {
      throw new ShapeError(`${name} is no list of at most ${most} values`);
    }
    return Array.from(value, (each) => reader(each, name));
  };
}

/** A list of a fixed length, each place with a reader of its own. */
export function tuple<R extends readonly Reader<unknown>[]>(
  ...readers: R
): Reader<{ -readonly [I in keyof R]: Read<R[I]> }> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length !== readers.length) {
      throw new ShapeError(`${name} is no list of ${readers.length}`);
    }
    const read = readers.map((reader, at) => reader(value[at], `${name}[${at}]`));
    return read as { -readonly [I in keyof R]: Read<R[I]> };
  };
}

/** An object with these fields; what else it holds is left out. Only its own fields count, never what a prototype has. */
export function record<F extends Readonly<Record<string, Reader<unknown>>>>(
  fields: F,
): Reader<{ readonly [K in keyof F]: Read<F[K]> }> {
  const entries = Object.entries(fields);
  return (value, name) => {
    const own = ownFields(value, name);
    const read: Record<string, unknown> = {};
    for (const [field, reader] of entries) {
      read[field] = reader(ownField(own, field), name === "" ? field : `${name}.${field}`);
    }
    return read as { readonly [K in keyof F]: Read<F[K]> };
  };
}

/** An object whose field `tag` says which of several readers takes it. */
export function tagged<R extends Readonly<Record<string, Reader<unknown>>>>(
  tag: string,
  readers: R,
): Reader<Read<R[keyof R]>> {
  return (value, name) => {
    const kind = ownField(ownFields(value, name), tag);
    const reader = typeof kind === "string" && Object.hasOwn(readers, kind)
      ? readers[kind]
      : undefined;
    if (reader === undefined) throw new ShapeError(`${name || "It"} has no known ${tag}`);
    return reader(value, name) as Read<R[keyof R]>;
  };
}

function ownFields(value: unknown, name: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ShapeError(`${name || "It"} is no object`);
}

function ownField(value: object, field: string): unknown {
  return Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined;
}
