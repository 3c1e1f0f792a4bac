// Holds docs/decisions/README.md: it lists every page by its title, and nothing else.
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { projectRoot } from "./support/mailboxes.ts";

const folder = join(projectRoot, "docs/decisions");

Deno.test("the index of decisions names every page by its title, in order", async () => {
  const pages = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".md") && name !== "README.md").toSorted();
  const expected = await Promise.all(pages.map(async (name) => {
    const title = (await Deno.readTextFile(join(folder, name))).split("\n")[0]!;
    return `[${name.slice(0, 4)}](${name}): ${title.replace(/^# \d{4}: /, "")}`;
  }));
  const index = await Deno.readTextFile(join(folder, "README.md"));
  const listed = index.split(/^- /m).slice(1).map((item) => item.trim().replaceAll(/\s+/g, " "));
  assertEquals(listed, expected);
});
