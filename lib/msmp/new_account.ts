/** What ADD and ADMIN ADD are given: a name, and a password that may hold blanks in version 2. */

import { firstWord } from "./words.ts";

/** A name and a password as they were typed. */
export interface NewAccount {
  readonly name: string;
  /**
   * The password: the rest of the line in version 2, one word in version 1.
   *
   * @throws {SyntaxError} when it is missing, or holds a blank in version 1
   */
  password(version: 1 | 2): string;
}

/** Reads a name and a password. @throws {SyntaxError} when one is missing */
export function nameAndPassword(text: string): NewAccount {
  const { word: name, rest } = firstWord(text);
  if (name === "") throw new SyntaxError("Missing name and password");
  if (rest.trim() === "") throw new SyntaxError("Missing password");
  return {
    name,
    password: (version) => {
      if (version === 2) return rest;
      const word = rest.trim();
      if (word.includes(" ")) throw new SyntaxError("Passwords with spaces require MSMP 2");
      return word;
    },
  };
}
