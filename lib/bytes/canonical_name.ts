/** The one name under which a user is known, however it was written. */

/**
 * Completes a name with the default domain (`--default-domain`): a name without `@` means the one in that domain.
 * Names are otherwise taken as they are, letter by letter.
 */
export function canonicalName(name: string, defaultDomain: string | undefined): string {
  return defaultDomain === undefined || name.includes("@") ? name : `${name}@${defaultDomain}`;
}
