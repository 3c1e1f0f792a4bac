/** Where the state is, and what a server is called among those that share it. */

import { isDatabase, parseStateUrl } from "../../state/postgres/state_url.ts";
import { file } from "./texts.ts";
import { InvalidText, single, type ValueType } from "./value_type.ts";

const NODE = /^[a-z0-9.-]{1,40}$/;

/** A file, `:memory:`, or a database's URL. */
export const statePlace: ValueType<string> = {
  ...file,
  expected: "the name of a file, or postgres://user@host/database",
  read(texts): string {
    const text = file.read(texts);
    if (!isDatabase(text)) return text;
    try {
      parseStateUrl(text);
      return text;
    } catch (error) {
      if (error instanceof SyntaxError) throw new InvalidText(withoutPassword(text), error.message);
      throw error;
    }
  },
};

/** A server's name among those that share a database. */
export const nodeName: ValueType<string> = single({
  placeholder: "NAME",
  expected: "1 to 40 of a-z, 0-9, . and -",
  parse: (text) => NODE.test(text) ? text : undefined,
});

/** The name that a server has by its host's name. */
export function nodeNameOf(hostName: string): string {
  const name = hostName.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "-").slice(0, 40);
  return name === "" ? "localhost" : name;
}

/** A URL as it may be shown: who wrote a password into it is told so, and nobody else sees it. */
function withoutPassword(url: string): string {
  return url.replace(/^(postgres:\/\/[^:@/]*):[^@/]*@/, "$1:(hidden)@");
}
