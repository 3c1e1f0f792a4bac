/** Places of mailboxes, and whose files they are, as settings. */

import { readIds } from "../../mail/places/file_ids.ts";
import { readPlace } from "../../mail/naming/place_template.ts";
import { InvalidText, single, type ValueType } from "./value_type.ts";

const PLACE = "a place such as %d/%n/Maildir or maildir:~/Maildir";

/** Where mailboxes lie. */
export const place: ValueType<string> = checked("TEMPLATE", PLACE, readPlace);

/** An owner of files. */
export const fileIds: ValueType<string> = checked(
  "keep|UID:GID",
  "keep, or the numbers UID:GID",
  readIds,
);

/** A text that a reader takes; its refusal is told. */
function checked(
  placeholder: string,
  expected: string,
  read: (text: string) => unknown,
): ValueType<string> {
  const type = single({ placeholder, expected, parse: (text) => text });
  return {
    ...type,
    read(texts): string {
      const text = type.read(texts);
      try {
        read(text);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        throw new InvalidText(
          text,
          error.message === expected ? expected : `${expected}: ${error.message}`,
        );
      }
      return text;
    },
  };
}
