// Checks docs/rfc.md: no section is missing, and every row's code and test are where it says.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { projectRoot } from "./support/mailboxes.ts";

/** The sections of each RFC; a section may have several rows. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  "RFC 1939": [
    ..."1 2 3 4 5 6".split(" "),
    ...["7, TOP", "7, UIDL", "7, USER", "7, PASS", "7, APOP"],
    ..."8 9 10 11 12 13 14 15 A B".split(" "),
  ],
  "RFC 2449": [
    ..."1 2 3 4 5 6 6.1 6.2 6.3 6.4 6.5 6.6 6.7 6.8 6.9".split(" "),
    ..."7 8 8.1 8.1.1 8.1.2 9 10 11 12 13".split(" "),
  ],
  "RFC 2595": "1 2.1 2.2 2.3 2.4 2.5 3 4 5 6 7 8 9 10 11 A".split(" "),
  "RFC 3206": "1 2 3 4 5 6 7 8 9 10 11".split(" "),
  "RFC 5034": "1 2 3 4 5 6 7 8 9 10 11 12".split(" "),
  "RFC 5802": "1 2 3 4 5 5.1 5.2 6 7 8 9 10 11 12 A B".split(" "),
  "RFC 7677": "1 2 3 4 5 6".split(" "),
  "RFC 6856": "1 2.1 2.2 3.1 3.2 3.3 4 5 6 7 8 A B".split(" "),
  "RFC 7628": "1 2 3 3.1 3.2 3.2.2 3.2.3 3.3 4 5 6 7 8".split(" "),
  "RFC 8314": "1 2 3 4 5 6 7 8 9 A".split(" "),
};

interface Row {
  readonly rfc: string;
  readonly section: string;
  readonly rule: string;
  readonly code: string;
  readonly test: string;
}

function readRows(): Row[] {
  const rows: Row[] = [];
  let rfc = "";
  for (const line of Deno.readTextFileSync(join(projectRoot, "docs", "rfc.md")).split("\n")) {
    rfc = line.match(/^## (RFC \d+)/)?.[1] ?? rfc;
    if (!line.startsWith("|") || /^\|\s*(-|section)/.test(line)) continue;
    const [section = "", rule = "", code = "", test = ""] = line.slice(1, -1).split("|")
      .map((cell) => cell.trim());
    rows.push({ rfc, section, rule, code, test });
  }
  return rows;
}

const rows = readRows();
const nothingToDo = ({ rule }: Row): boolean => rule.startsWith("–");

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(join(projectRoot, path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("docs/rfc.md has rows for every section of each RFC, in order", () => {
  for (const [rfc, sections] of Object.entries(SECTIONS)) {
    const found = rows.filter((row) => row.rfc === rfc).map(({ section }) => section);
    assertEquals([...new Set(found)], [...sections]);
    assertEquals(
      found.filter((section, index) =>
        found.indexOf(section) < index - 1 &&
        found[index - 1] !== section
      ),
      [],
    );
  }
});

Deno.test("docs/rfc.md names code that exists", () => {
  const wrong = rows.filter((row) => !nothingToDo(row) && textOf(row.code) === undefined)
    .map(({ rfc, section, code }) => `${rfc}, ${section}: ${code}`);
  assertEquals(wrong, []);
});

Deno.test("docs/rfc.md names tests that exist, each in its file", () => {
  const wrong = rows.filter((row) => {
    if (nothingToDo(row)) return false;
    const [path = "", name = ""] = row.test.split(/: (.*)/s);
    const text = textOf(path);
    if (text === undefined || name === "") return true;
    return path.endsWith(".txt")
      ? !text.split("\n").includes(`== ${name}`)
      : !text.includes(`Deno.test("${name}`) && !text.includes(`Deno.test(\`${name}`);
  }).map(({ rfc, section, test }) => `${rfc}, ${section}: ${test}`);
  assertEquals(wrong, []);
});

Deno.test("docs/rfc.md says nothing more where a section asks nothing of a server", () => {
  const wrong = rows.filter((row) => nothingToDo(row) && (row.code !== "–" || row.test !== "–"));
  assertEquals(wrong, []);
});
