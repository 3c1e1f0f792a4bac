/** The one binary: what `deno task compile` embeds, and, where there is a base program, that it runs. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { compileArguments, explain, PERMISSION_SET, readArguments } from "../tasks/compile.ts";
import { type Embedded, embeddedByDeno } from "./support/elf_notes.ts";
import { makeMailbox, messageOfSize, projectRoot, temporaryFolder } from "./support/mailboxes.ts";
import { Pop3Client } from "./support/pop3_client.ts";
import { machineEnvironment, RunningProgram, serveArguments } from "./support/program.ts";

const environment = machineEnvironment();

/** Runs Deno in the project. */
async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: projectRoot,
    env: { ...environment, NO_COLOR: "1", ...env },
    clearEnv: true,
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: err! };
}

/** Makes a binary with Deno itself as base program. It cannot be run, but all is in it. */
async function embedded(): Promise<Embedded> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postern");
  const { code, stderr } = await deno(compileArguments(path), { DENORT_BIN: Deno.execPath() });
  assertEquals(code, 0, stderr);
  return embeddedByDeno(await Deno.readFile(path));
}

/** Files of the project that can be loaded when the program runs, workers included. */
async function loadable(): Promise<Set<string>> {
  const found = new Set<string>();
  const roots = ["main.ts"];
  for (let root = roots.pop(); root !== undefined; root = roots.pop()) {
    const { stdout } = await deno(["info", "--json", root]);
    const { modules } = JSON.parse(stdout) as { modules: readonly Module[] };
    const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
    const next = [new URL(root, `file://${projectRoot}/`).href];
    for (let specifier = next.pop(); specifier !== undefined; specifier = next.pop()) {
      if (!specifier.startsWith("file:")) continue;
      const path = relative(projectRoot, fileURLToPath(specifier));
      if (found.has(path)) continue;
      found.add(path);
      roots.push(...await startedBy(path));
      const dependencies = bySpecifier.get(specifier)?.dependencies ?? [];
      next.push(...dependencies.flatMap(({ code }) => code?.specifier ?? []));
    }
  }
  return found;
}

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly code?: { readonly specifier: string } }[];
}

/** Modules that a source names without importing them: workers, and whatever else it resolves by its own place. */
async function startedBy(path: string): Promise<string[]> {
  if (!path.endsWith(".ts")) return [];
  const source = await Deno.readTextFile(join(projectRoot, path));
  const named = source.matchAll(
    /new URL\(\s*"([^"]+)",\s*import\.meta\.url|import\.meta\.resolve\(\s*"(\.[^"]+)"/g,
  );
  return [...named].map(([, url, resolved]) =>
    relative(projectRoot, join(projectRoot, path, "..", (url ?? resolved)!))
  );
}

// Elsewhere the binary is no ELF file, and this reader does not know it.
const ignore = Deno.build.os !== "linux";

Deno.test(
  "the binary holds what the program needs, and has its permissions",
  { ignore },
  async (t) => {
    const { permissions, entryPoint, unstable, files } = await embedded();
    const own = files.filter((file) => !file.startsWith(".deno_compile_node_modules/"));

    await t.step("its entry point is main.ts, with deno.json's unstable features", () => {
      assertEquals(entryPoint, "main.ts");
      assertEquals(unstable.toSorted(), config.unstable.toSorted());
    });

    await t.step("its permissions are deno.json's set, and nobody is asked for more", () => {
      const set = config.permissions[PERMISSION_SET];
      for (const kind of ["net", "read", "write", "run", "env", "sys", "ffi"] as const) {
        // Of the environment, some is read as absent.
        const given = kind === "ffi" ? false : kind === "env" ? set.env.allow : set[kind];
        const expected = given === false ? null : given === true ? [] : given;
        assertEquals(permissions[`allow_${kind}`], expected, kind);
        assertEquals(permissions[`deny_${kind}`], null, kind);
      }
      assertEquals(permissions.ignore_env, set.env.ignore);
      assertEquals(set.import, { deny: true });
      assertEquals(permissions.deny_import, []);
      assertEquals(permissions.prompt, false);
    });

    await t.step("every module that can be loaded is in it, workers and kernel too", async () => {
      const needed = await loadable();
      assert(needed.has("lib/workers/thread/session_worker.ts"));
      assert(needed.has("lib/bytes/kernel/kernel.wasm"));
      assertEquals([...needed].filter((file) => !own.includes(file)), []);
    });

    await t.step("nothing else of the project is in it", () => {
      const others = own.filter((file) => !/^(lib\/.*|main\.ts|deno\.json)$/.test(file));
      assertEquals(others, []);
      assertEquals(own.filter((file) => /_test\.ts$|\.d\.ts$/.test(file)), []);
    });

    await t.step("of the packages only those of the program are in it", () => {
      const all = files.filter((file) => file.startsWith(".deno_compile_node_modules/"));
      assert(all.some((file) => file.includes("/@logtape/logtape/")));
      assertEquals(all.filter((file) => /fast-check|assemblyscript|binaryen/.test(file)), []);
    });
  },
);

Deno.test("a missing base program is one sentence, and so is a wrong one", async () => {
  await using folder = await temporaryFolder();
  const output = join(folder.path, "postern");
  // The task's own permissions: it reads DENORT_BIN, which the program may not.
  const task = [
    "run",
    ...["--allow-run", "--allow-read", "--allow-write", "--allow-env=DENORT_BIN"],
    "tasks/compile.ts",
    ...["-o", output],
  ];
  const cases: readonly [base: string, sentence: RegExp][] = [
    [join(folder.path, "absent"), /^DENORT_BIN names .*absent, which is no base program: .*\n$/],
    [join(projectRoot, "deno.json"), /^DENORT_BIN names .*, which is no base program: .*\n$/],
    [Deno.execPath(), /^DENORT_BIN names .*: what was made of it is not Postern, .*\n$/],
  ];
  for (const [base, sentence] of cases) {
    const { code, stdout, stderr } = await deno(task, { DENORT_BIN: base });
    assertMatch(stderr, sentence);
    assertEquals([code, stdout], [1, ""]);
  }
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a base program that cannot be fetched is explained, and other failures are told whole", () => {
  const unreachable =
    "error: Writing deno compile executable\n\nCaused by:\n    0: Setting up base " +
    "binary.\n    1: error sending request for url (…)\n\nStack backtrace:\n   0: <unknown>\n";
  assertMatch(explain(unreachable, undefined), /^[^\n]*could not be fetched[^\n]*DENORT_BIN\.$/);
  assertEquals(
    explain("TS2305 [ERROR]: …\n\nerror: Type checking failed.\n\nStack backtrace:\n  0: x\n", ""),
    "TS2305 [ERROR]: …\n\nerror: Type checking failed.",
  );
});

Deno.test("the compile task takes a file to write, and hands other flags on", () => {
  assertEquals(readArguments([]), { output: join(Deno.cwd(), "postern"), more: [] });
  assertEquals(readArguments(["-o", "/a/b", "--target", "x"]), {
    output: "/a/b",
    more: ["--target", "x"],
  });
  assertEquals(readArguments(["--output=/a/b"]).output, "/a/b");
});

/** Whether there is a base program: named by DENORT_BIN, or fetched by Deno before. */
async function hasBaseProgram(): Promise<boolean> {
  const base = environment.DENORT_BIN;
  if (base !== undefined) return await Deno.realPath(base) !== await Deno.realPath(Deno.execPath());
  const { denoDir } = JSON.parse((await deno(["info", "--json"])).stdout);
  try {
    const kept = [...Deno.readDirSync(join(denoDir, "dl", "release", `v${Deno.version.deno}`))];
    return kept.some(({ name }) => name.startsWith("denort-"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test({
  name: "the binary serves mail (ignored where there is no base program)",
  ignore: !await hasBaseProgram(),
  fn: async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "postern");
    const made = await deno(compileArguments(path));
    assertEquals(made.code, 0, made.stderr);
    const maildir = join(folder.path, "mail");
    const message = messageOfSize(100_000);
    await makeMailbox(join(maildir, "ada"), "maildir", [message]);
    const child = new Deno.Command(path, {
      args: serveArguments({ maildir, users: { ada: "secret" } }),
      cwd: folder.path,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await using program = new RunningProgram(child);
    await program.ready();
    using client = await Pop3Client.connect({ port: program.port() });
    await client.login("ada", "secret");
    assertEquals(await client.retrieve(1), message);
    await client.ok("QUIT");
  },
});
