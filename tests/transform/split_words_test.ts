// Holds the splitting of command lines against what a shell does.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { splitWords } from "../../lib/transform/split_words.ts";

const lines: readonly (readonly [string, readonly string[]])[] = [
  ["cat", ["cat"]],
  ["  tr\ta-z \n A-Z  ", ["tr", "a-z", "A-Z"]],
  ["sed 's/^Subject: /&[list] /'", ["sed", "s/^Subject: /&[list] /"]],
  [String.raw`a "b c" d\ e`, ["a", "b c", "d e"]],
  [String.raw`a "x\"y\\z\$\q"`, ["a", String.raw`x"y\z$\q`]],
  [String.raw`a 'x\'`, ["a", "x\\"]],
  [`a b"c"'d'e`, ["a", "bcde"]],
  [`a "" ''`, ["a", "", ""]],
  ["a \\\n b\\\nc", ["a", "bc"]],
  ['a "b\\\nc"', ["a", "bc"]],
  ["echo hi | wc; x > y & $(z) `q` *.eml ~ # no", [
    ...["echo", "hi", "|", "wc;", "x", ">", "y", "&", "$(z)", "`q`", "*.eml", "~", "#", "no"],
  ]],
  ["'/opt/my filter/run' --größe=1", ["/opt/my filter/run", "--größe=1"]],
];

for (const [line, words] of lines) {
  Deno.test(`splitWords splits ${JSON.stringify(line)}`, () =>
    assertEquals(splitWords(line), words));
}

for (
  const [line, sentence] of [
    ["", "No program is named"],
    [" \t\n", "No program is named"],
    ["'' x", "No program is named"],
    ["cat 'x", "A single quote is not closed"],
    ['cat "x', "A double quote is not closed"],
    ['cat "x\\"', "A double quote is not closed"],
    ["cat x\\", "A backslash ends"],
    ["cat \0", "NUL"],
  ] as const
) {
  Deno.test(`splitWords refuses ${JSON.stringify(line)} in a sentence`, () => {
    assertThrows(() => splitWords(line), SyntaxError, sentence);
  });
}

Deno.test("splitWords gives back any words that were quoted singly", () => {
  const word = fc.string({ unit: "binary" }).map((text: string) => text.replaceAll("\0", ""));
  fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (words: string[]) => {
    const quoted = words.map((text) => `'${text.replaceAll("'", String.raw`'\''`)}'`);
    assertEquals(splitWords(["p", ...quoted].join(" ")), ["p", ...words]);
  }));
});

Deno.test("splitWords splits as /bin/sh does", async () => {
  const unit = fc.constantFrom(..."ab'\"\\ \t");
  const samples = fc.sample(fc.string({ unit, minLength: 1, maxLength: 12 }), {
    numRuns: 60,
    seed: 7,
  });
  for (const text of samples) {
    const line = `p ${text}`;
    let words: string[] | undefined;
    try {
      words = splitWords(line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      continue;
    }
    const script = `set -- ${line}\nprintf '%s\\n' "$@"`;
    const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script] }).output();
    assertEquals(words, new TextDecoder().decode(stdout).split("\n").slice(0, -1), line);
  }
});
