/** How long names may be that come over the management port. */

/** Octets of a user's or administrator's name (docs/msmp.md, "ADD"). */
export const ADMINISTERED_NAME_OCTETS = 40;
