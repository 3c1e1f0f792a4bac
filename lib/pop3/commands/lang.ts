/** LANG (RFC 6856, section 3): the language of the answers' texts. */

import { optionalWord } from "../../wire/arguments.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Language, Pop3Context } from "../context.ts";
import type { Authorization, Transaction } from "../phases.ts";

const LANGUAGES: ReadonlyMap<string, Language> = new Map([["i-default", "i-default"], [
  "en",
  "en",
]]);

/** The LANG command: lists the languages, or chooses one; `*` is the default (RFC 6856, section 3). */
export const lang = command<Authorization | Transaction, string | undefined, Pop3Context>({
  name: "LANG",
  args: optionalWord("language"),
  capability: () => "LANG",
  handle({ context }, asked): Reply {
    if (asked === undefined) {
      return {
        kind: "list",
        text: "language list follows",
        lines: ["i-default Default language", "en English"],
      };
    }
    const language = asked === "*" ? "i-default" : LANGUAGES.get(asked.toLowerCase());
    if (language === undefined) {
      return {
        kind: "error",
        text: `${context.language} Unknown language; LANG lists the known ones`,
      };
    }
    context.language = language;
    // RFC 6856, section 3.1: the tag in force comes first.
    return { kind: "ok", text: `${language} Language is now ${language}` };
  },
});
