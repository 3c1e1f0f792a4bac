/** Readers of command arguments; each throws a SyntaxError whose message goes to the client. */

/** Takes nothing. Blanks at the end of a line do no harm. */
export function noArguments(rest: string): void {
  if (rest.trim() !== "") throw new SyntaxError("This command takes no arguments");
}

/** Takes the rest of the line, blanks included (RFC 1939, section 7, on PASS). */
export function restOfLine(what: string): (rest: string) => string {
  return (rest) => {
    if (rest === "") throw new SyntaxError(`Missing ${what}`);
    return rest;
  };
}

/** Takes one word. */
export function oneWord(what: string): (rest: string) => string {
  return (rest) => {
    const words = wordsOf(rest);
    const [word] = words;
    if (word === undefined) throw new SyntaxError(`Missing ${what}`);
    if (words.length > 1) throw new SyntaxError(`Expected only one ${what}`);
    return word;
  };
}

/** Takes one word or nothing. */
export function optionalWord(what: string): (rest: string) => string | undefined {
  const read = oneWord(what);
  return (rest) => (rest.trim() === "" ? undefined : read(rest));
}

/** Takes a message number (RFC 1939, section 3: decimal, from 1). */
export function messageNumber(rest: string): number {
  const words = wordsOf(rest);
  const [word] = words;
  if (word === undefined) throw new SyntaxError("Missing message number");
  if (words.length > 1) throw new SyntaxError("Expected only one message number");
  return readNumber(word, "message number", 1);
}

/** Takes a message number or nothing. */
export function optionalMessageNumber(rest: string): number | undefined {
  return rest.trim() === "" ? undefined : messageNumber(rest);
}

/** Takes a message number and a count of lines (RFC 1939, section 7, on TOP). */
export function messageNumberAndLines(rest: string): { number: number; lines: number } {
  const [number, lines, ...more] = wordsOf(rest);
  if (number === undefined || lines === undefined || more.length > 0) {
    throw new SyntaxError("Expected a message number and a number of lines");
  }
  return {
    number: readNumber(number, "message number", 1),
    lines: readNumber(lines, "number of lines", 0),
  };
}

function wordsOf(rest: string): string[] {
  return rest.split(" ").filter((word) => word !== "");
}

/** Digits only, then the overflow, then the floor: what comes first wrong is told first. */
function readNumber(word: string, what: string, least: number): number {
  if (!/^[0-9]+$/.test(word)) throw new SyntaxError(`The ${what} must be made of digits`);
  const value = Number(word);
  if (!Number.isSafeInteger(value)) throw new SyntaxError(`The ${what} is too large`);
  if (value < least) throw new SyntaxError(`The ${what} must be at least ${least}`);
  return value;
}
