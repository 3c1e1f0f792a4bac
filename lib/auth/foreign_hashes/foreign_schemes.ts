/** Which hashes of other servers can be checked, and how they are written. */

import type { ForeignHash, ForeignScheme } from "../../contracts/user_source.ts";
import { isSha512Crypt } from "./sha512_crypt.ts";

/** The schemes that can be checked. */
export const FOREIGN_SCHEMES: readonly ForeignScheme[] = ["SHA512-CRYPT", "BLF-CRYPT", "ARGON2ID"];

/** $2a$, $2b$ and $2y$ are the same computation for passwords as they are typed. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./0-9A-Za-z]{53}$/;
/** RFC 9106, section 3.1: salt of at least 8 octets, tag of at least 4, each lane 8 KiB at least. */
const ARGON2ID =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=[1-9]\d{0,3},p=([1-9]\d{0,2})\$[+/0-9A-Za-z]{11,}\$[+/0-9A-Za-z]{6,}$/;

/** Whether a name is one of the schemes that can be checked. */
export function isForeignScheme(name: string): name is ForeignScheme {
  return FOREIGN_SCHEMES.some((scheme) => scheme === name);
}

/** Whether a hash has its scheme's form. */
export function isForeignHash({ scheme, data }: ForeignHash): boolean {
  switch (scheme) {
    case "SHA512-CRYPT":
      return isSha512Crypt(data);
    case "BLF-CRYPT":
      return BCRYPT.test(data);
    case "ARGON2ID": {
      const [, memory = 0, lanes = 0] = (ARGON2ID.exec(data) ?? []).map(Number);
      return memory > 0 && memory >= 8 * lanes;
    }
  }
}
