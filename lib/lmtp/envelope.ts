/** Reads the arguments of MAIL and RCPT (RFC 5321, section 4.1.1.2 and 4.1.1.3). */

/** A path and its parameters. */
export interface Path {
  /** Without brackets and source route; empty for the sender of a bounce. */
  readonly address: string;
  /** By upper-case keyword; a keyword without a value has an empty one. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Octets of a path (RFC 5321, section 4.5.3.1.3), doubled. */
const MOST_ADDRESS = 512;

/**
 * Reads `FROM:<path> KEY=value …`.
 *
 * @param keyword `FROM` or `TO`
 * @returns undefined when it is not so written
 */
export function readPath(text: string, keyword: string): Path | undefined {
  const match = new RegExp(`^${keyword}:[ ]*<((?:"(?:[^"\\\\]|\\\\.)*"|[^<>"])*)>(.*)$`, "is").exec(
    text,
  );
  if (match === null) return undefined;
  const [, path = "", rest = ""] = match;
  const address = unquoted(path.replace(/^@[^:]*:/, ""));
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (address.length > MOST_ADDRESS || /[\u0000-\u001f\u007f]/.test(address)) return undefined;
  if (rest !== "" && !rest.startsWith(" ")) return undefined;
  const parameters = new Map<string, string>();
  for (const word of rest.split(" ").filter((each) => each !== "")) {
    const [, key, value = ""] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (key === undefined || parameters.has(key.toUpperCase())) return undefined;
    parameters.set(key.toUpperCase(), value);
  }
  return { address, parameters };
}

/** A quoted local part without its quotes. */
function unquoted(address: string): string {
  const [, local, domain] = /^"((?:[^"\\]|\\.)*)"(@.*)?$/s.exec(address) ?? [];
  return local === undefined ? address : `${local.replaceAll(/\\(.)/gs, "$1")}${domain ?? ""}`;
}
