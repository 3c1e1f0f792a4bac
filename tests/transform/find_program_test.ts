// Looks for programs in folders of its own.

import { assertEquals, assertRejects } from "@std/assert";
import { findProgram } from "../../lib/transform/find_program.ts";
import { TransformerError } from "../../lib/contracts/transformer.ts";

async function withFolders(test: (first: string, second: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    const [first, second] = [`${root}/first`, `${root}/second`];
    await Deno.mkdir(first);
    await Deno.mkdir(second);
    await Deno.writeTextFile(`${first}/plain`, "", { mode: 0o644 });
    await Deno.writeTextFile(`${second}/plain`, "", { mode: 0o755 });
    await Deno.writeTextFile(`${second}/only`, "", { mode: 0o700 });
    await Deno.mkdir(`${first}/only`);
    await test(first, second);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function refusal(name: string, path: string, cwd = "/nowhere"): Promise<string> {
  const error = await assertRejects(() => findProgram(name, { path, cwd }), TransformerError);
  assertEquals(error.reason, "not-found");
  return error.message;
}

Deno.test("findProgram takes the first executable file of the name in PATH", async () => {
  await withFolders(async (first, second) => {
    const options = { path: `:relative:${first}:${second}/`, cwd: first };
    assertEquals(await findProgram("plain", options), `${second}/plain`);
    assertEquals(await findProgram("only", options), `${second}/only`);
  });
});

Deno.test("findProgram takes a name with a slash as a path, relative to the folder it was typed in", async () => {
  await withFolders(async (_, second) => {
    const options = { path: "", cwd: second };
    assertEquals(await findProgram("./only", options), `${second}/./only`);
    assertEquals(await findProgram(`${second}/only`, options), `${second}/only`);
  });
});

Deno.test("findProgram says in a sentence why a program cannot be run", async () => {
  await withFolders(async (first, second) => {
    const nowhere = await refusal("postern-no-such-thing", `${first}:${second}`);
    assertEquals(
      nowhere,
      `The transformer "postern-no-such-thing" is no program in PATH (${first}:${second}); give its path, or install it`,
    );
    const plain = await refusal("plain", first);
    assertEquals(plain.endsWith(`; ${first}/plain is not executable`), true, plain);
    const folder = await refusal(`${first}/only`, "");
    assertEquals(folder.endsWith("is no file"), true, folder);
    const missing = await refusal(`${first}/plain/below`, "");
    assertEquals(missing.endsWith("does not exist"), true, missing);
  });
});

Deno.test("findProgram does not look in the present folder for an empty entry of PATH", async () => {
  await withFolders(async (_, second) => {
    await refusal("only", "::.:", second);
  });
});
