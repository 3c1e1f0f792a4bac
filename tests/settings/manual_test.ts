/** Holds docs/settings.md against the definitions. */

import { assertEquals } from "@std/assert";
import { manual } from "../../lib/settings/manual.ts";

Deno.test("docs/settings.md is what deno task docs writes", async () => {
  const page = new URL("../../docs/settings.md", import.meta.url);
  assertEquals(await Deno.readTextFile(page), manual());
});
