// The commands that docs/moving tells: each must be one that the program has, with flags that it takes.
import { assert, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { projectRoot } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";

Deno.test("each command of docs/moving is known, with its flags", async () => {
  const helps = new Map<string, string>();
  let commands = 0;
  for (const { name } of Deno.readDirSync(join(projectRoot, "docs", "moving"))) {
    const text = Deno.readTextFileSync(join(projectRoot, "docs", "moving", name));
    for (const [, block = ""] of text.matchAll(/```sh\n(.*?)```/gs)) {
      for (const line of block.split("\n").filter((each) => each.startsWith("postern "))) {
        commands++;
        const words = line.split(" ").slice(1);
        const command = words[0] === "import" ? words.slice(0, 2) : words.slice(0, 1);
        const key = command.join(" ");
        const help = helps.get(key) ?? (await postern([...command, "-h"])).stdout;
        helps.set(key, help);
        for (const flag of words.filter((word) => word.startsWith("--"))) {
          assertStringIncludes(help, flag, `${name}: ${line}`);
        }
      }
    }
  }
  assert(commands > 10);
});
