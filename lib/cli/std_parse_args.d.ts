// Types for what we use of @std/cli/parse-args, whose npm package carries JavaScript alone.

/** What {@linkcode parseArgs} needs to know. */
export interface ParseOptions {
  /** Flags that take no value. */
  readonly boolean: readonly string[];
  /** Flags whose value stays text. */
  readonly string: readonly string[];
  /** Flags whose values are collected into arrays. */
  readonly collect: readonly string[];
}

/** Reads arguments; `_` holds what belongs to no flag. */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions,
): { readonly _: readonly (string | number)[]; readonly [flag: string]: unknown };
