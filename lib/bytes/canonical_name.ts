/** The one name under which a user is known, however it was written. */

/** How names are read. */
export interface NameRules {
  /** The domain that a name without `@` belongs to (`--default-domain`). */
  readonly defaultDomain?: string | undefined;
  /** Whether the case of letters counts before the `@` (`--names`); in the domain it never does. @default {"exact"} */
  readonly names?: "exact" | "lower" | undefined;
  /** What follows this character before the `@` does not count (`--recipient-delimiter`). */
  readonly recipientDelimiter?: string | undefined;
}

/**
 * Gives the name under which a user is kept: completed with the default domain, its domain in lower case (RFC 4343), the rest as the
 * rules say.
 */
export function canonicalName(name: string, rules: NameRules): string {
  const { defaultDomain, names, recipientDelimiter } = rules;
  const at = name.indexOf("@");
  let local = at < 0 ? name : name.slice(0, at);
  const domain = at < 0 ? defaultDomain : name.slice(at + 1).toLowerCase();
  if (names === "lower") local = local.toLowerCase();
  if (recipientDelimiter !== undefined) {
    const end = local.indexOf(recipientDelimiter);
    if (end > 0) local = local.slice(0, end);
  }
  return domain === undefined ? local : `${local}@${domain}`;
}
