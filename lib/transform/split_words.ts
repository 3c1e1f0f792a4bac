/** Splits a command line into words as a shell would, without a shell. */

const BLANK = " \t\r\n";
/** What a backslash can take the meaning of inside double quotes (POSIX.1-2017, Shell Command Language, 2.2.3). */
const ESCAPED_IN_DOUBLE_QUOTES = '$`"\\';

/**
 * Splits a command line into words.
 *
 * Blanks part words. Single quotes keep everything between them as it is; double quotes too, but for a backslash before
 * `$`, `` ` ``, `"` or `\`; outside of quotes a backslash takes the meaning of the character after it. A backslash before a line
 * end takes both away. Nothing else means anything, since no shell runs: `|`, `>`, `;`, `*`, `~`, `#` and `$NAME` stay as they are.
 *
 * @example
 * ```ts
 * splitWords(String.raw`sed -e 's/^Subject: /&[list] /' "a b" c\ d`);
 * // ["sed", "-e", "s/^Subject: /&[list] /", "a b", "c d"]
 * ```
 * @throws {SyntaxError} when a quote is not closed, nothing follows a final backslash, there is no word, or there is a NUL
 */
export function splitWords(commandLine: string): [string, ...string[]] {
  if (commandLine.includes("\0")) {
    throw new SyntaxError("A command line cannot hold a NUL character");
  }
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < commandLine.length) {
    const character = commandLine.charAt(at++);
    if (character === "'" || character === '"') {
      const part = character === "'"
        ? singleQuoted(commandLine, at)
        : doubleQuoted(commandLine, at);
      word = (word ?? "") + part.text;
      at = part.end;
    } else if (character === "\\") {
      if (at === commandLine.length) {
        throw new SyntaxError(
          `A backslash ends ${JSON.stringify(commandLine)}: write \\\\ for a backslash itself`,
        );
      }
      const next = commandLine.charAt(at++);
      if (next !== "\n") word = (word ?? "") + next;
    } else if (BLANK.includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  const [program, ...rest] = words;
  if (program === undefined || program === "") {
    throw new SyntaxError(
      `No program is named in ${JSON.stringify(commandLine)}: the first word must be one`,
    );
  }
  return [program, ...rest];
}

/** A quoted stretch: what it says, and where the text goes on behind its closing quote. */
interface Quoted {
  readonly text: string;
  readonly end: number;
}

function singleQuoted(line: string, start: number): Quoted {
  const end = line.indexOf("'", start);
  if (end === -1) throw notClosed(line, "single");
  return { text: line.slice(start, end), end: end + 1 };
}

function doubleQuoted(line: string, start: number): Quoted {
  let text = "";
  for (let at = start; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === '"') return { text, end: at + 1 };
    if (character !== "\\") {
      text += character;
      continue;
    }
    const next = line.charAt(++at);
    if (next === "\n") continue;
    text += ESCAPED_IN_DOUBLE_QUOTES.includes(next) ? next : `\\${next}`;
  }
  throw notClosed(line, "double");
}

function notClosed(line: string, kind: string): SyntaxError {
  return new SyntaxError(`A ${kind} quote is not closed in ${JSON.stringify(line)}`);
}
