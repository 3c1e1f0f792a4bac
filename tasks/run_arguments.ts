/** How the program is run: deno.json's task `postern` says it once, for tests, benchmarks and the binary. */

import { join } from "node:path";
import config from "../deno.json" with { type: "json" };

const root = join(import.meta.dirname!, "..");
const V8_FLAGS = "--v8-flags=";

/** What stands behind `deno` in the task, the entry point by its whole path. */
export function runArguments(): string[] {
  const [deno, ...words] = config.tasks.postern.split(" ");
  const entry = words.pop();
  if (deno !== "deno" || entry !== "main.ts") {
    throw new Error(`The task postern must be "deno run … main.ts", not "${config.tasks.postern}"`);
  }
  return [...words, join(root, entry)];
}

/** The task's flags for the JavaScript engine, which the binary gets, too. */
export function engineFlags(): string {
  return runArguments().find((word) => word.startsWith(V8_FLAGS)) ?? "";
}
