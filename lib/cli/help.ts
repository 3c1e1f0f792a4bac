/** Lays out help texts: two columns, wrapped, at most 80 wide. */

const WIDTH = 80;
const GAP = 2;
/** A flag longer than this has its help on the next line. */
const FLAG_COLUMN = 26;

/** One flag or command, and what it does. */
export interface HelpLine {
  readonly flag: string;
  readonly help: string;
}

/** A title and its lines, without a line end at the end. */
export function helpSection(title: string, lines: readonly HelpLine[]): string {
  const indent = " ".repeat(FLAG_COLUMN + GAP + 2);
  const rows = lines.flatMap(({ flag, help }) => {
    const [first = "", ...more] = wrap(help, WIDTH - indent.length);
    const start = flag.length <= FLAG_COLUMN
      ? [`  ${flag.padEnd(FLAG_COLUMN + GAP)}${first}`]
      : [`  ${flag}`, `${indent}${first}`];
    return [...start, ...more.map((line) => indent + line)];
  });
  return [`${title}:`, ...rows].join("\n");
}

/** A text that stands by itself, wrapped. */
export function paragraph(text: string): string {
  return wrap(text, WIDTH).join("\n");
}

/** Breaks a text at blanks into lines of at most `width` characters; a longer word stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
