// Holds the layers of docs/design.md: imports point to lower layers, contracts hold types only, files stay short.
import { assertEquals } from "@std/assert";
import { dirname, join, relative } from "node:path";
import { projectRoot } from "./support/mailboxes.ts";

/** The layer of each folder of lib/. */
const LAYERS: Readonly<Record<string, number>> = {
  "version.ts": 0,
  bytes: 0,
  async: 0,
  files: 1,
  log: 1,
  wire: 2,
  net: 2,
  mail: 2,
  users: 2,
  sasl: 2,
  transform: 2,
  state: 2,
  guard: 2,
  settings: 2,
  observe: 2,
  pop3: 3,
  msmp: 3,
  server: 4,
  terminal: 3,
  msmp_client: 4,
  cli: 5,
};

/** Layer 1: what any folder from layer 2 on may import of another. */
const CONTRACTS: ReadonlySet<string> = new Set([
  "lib/contracts/mail_store.ts",
  "lib/contracts/connection.ts",
  "lib/net/networks.ts",
  "lib/contracts/event.ts",
  "lib/contracts/settings.ts",
  "lib/contracts/account_store.ts",
  "lib/contracts/record_store.ts",
  "lib/contracts/transformer.ts",
  "lib/contracts/login_service.ts",
  "lib/bytes/user_name.ts",
  "lib/contracts/user_source.ts",
  "lib/wire/reply.ts",
]);

/** Contracts that hold values beside their types, and why. */
const CONTRACTS_WITH_VALUES: Readonly<Record<string, string>> = {
  "lib/net/networks.ts":
    "whom an address is counted with, and what never leaves the machine, is a rule that every layer must share",
  "lib/contracts/record_store.ts": "how long records are kept is part of what both stores promise",
  "lib/bytes/user_name.ts": "which names can be names is a rule that every layer must share",
  "lib/contracts/user_source.ts": "the names of schemes are a tuple that the types follow",
};

/** Sources that are no modules of the program, and the one module that is a thread's own program. */
const MAY_KEEP_VARIABLES: Readonly<Record<string, string>> = {
  "lib/bytes/kernel/kernel.ts":
    "AssemblyScript: it becomes the WebAssembly kernel, whose memory is its state",
  "lib/workers/thread/session_worker.ts":
    "the program of a worker: it is set up by the first message",
};

const LONGEST_FILE = 400;

interface SourceFile {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
  /** Imported files of the project, from its root. */
  readonly imports: readonly string[];
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* filesBelow(path);
    else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts")) yield path;
  }
}

/** Reads the static and dynamic imports of a file; Deno's own parser is asked for the whole graph below. */
function readSource(file: string): SourceFile {
  const text = Deno.readTextFileSync(file);
  const specifiers = [
    ...text.matchAll(/^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"/gm),
    ...text.matchAll(/^\s*import\s+"([^"]+)"/gm),
    ...text.matchAll(/\bimport\("([^"]+)"\)/g),
    ...text.matchAll(/new URL\(\s*"([^"]+\.ts)",\s*import\.meta\.url/g),
  ].map((match) => match[1]!);
  const imports = specifiers
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => relative(projectRoot, join(dirname(file), specifier)));
  return { path: relative(projectRoot, file), text, imports };
}

const sources = [...filesBelow(join(projectRoot, "lib"))].map(readSource);

/** The number of a file's layer; contracts are layer 1 wherever they lie. */
function layerOf(path: string): number {
  if (CONTRACTS.has(path)) return 1;
  const folder = path.split("/")[1]!;
  const layer = LAYERS[folder];
  if (layer === undefined) throw new Error(`${path}: lib/${folder} has no layer in this test`);
  return layer;
}

function mayImport(from: string, to: string): boolean {
  if (!to.startsWith("lib/")) return to === "deno.json";
  if (from.split("/")[1] === to.split("/")[1]) return !(layerOf(from) === 1 && layerOf(to) > 1);
  if (layerOf(to) === 1) return layerOf(from) >= 1;
  // Layer 3 leads dialogues over contracts and the engine; the stores' implementations are chosen in layer 4 only.
  if (layerOf(from) === 3 && layerOf(to) === 2) return ["wire", "sasl"].includes(to.split("/")[1]!);
  return layerOf(to) < layerOf(from);
}

Deno.test("imports point to lower layers, or to contracts", () => {
  const wrong = sources.flatMap(({ path, imports }) =>
    imports.filter((to) => !mayImport(path, to)).map((to) => `${path} → ${to}`)
  );
  assertEquals(wrong, []);
});

Deno.test("lib/bytes imports nothing but itself", () => {
  const wrong = sources.filter(({ path }) => path.startsWith("lib/bytes/")).flatMap((
    { path, text },
  ) =>
    [...text.matchAll(/from\s+"([^"]+)"/g)].map((match) => match[1]!)
      .filter((specifier) => !specifier.startsWith("./")).map((to) => `${path} → ${to}`)
  );
  assertEquals(wrong, []);
});

Deno.test("the contracts exist, and hold types and error classes only", () => {
  const wrong: string[] = [];
  for (const path of CONTRACTS) {
    const source = sources.find((file) => file.path === path);
    if (source === undefined) {
      wrong.push(`${path} does not exist`);
      continue;
    }
    if (path in CONTRACTS_WITH_VALUES) continue;
    for (const [statement] of source.text.matchAll(/^export (?!type |interface ).*$/gm)) {
      if (!/^export class \w+Error extends \w*Error \{/.test(statement)) {
        wrong.push(`${path}: ${statement}`);
      }
    }
    for (
      const [statement] of source.text.matchAll(
        /^(?:function|const|let|var|class|import(?! type)) .*$/gm,
      )
    ) {
      wrong.push(`${path}: ${statement}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("files of lib stay short enough to be read at once", () => {
  const long = sources
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > LONGEST_FILE);
  assertEquals(long, []);
});

Deno.test("no module of lib keeps a variable that changes", () => {
  const wrong = sources.filter(({ path }) => !(path in MAY_KEEP_VARIABLES)).flatMap((
    { path, text },
  ) => [...text.matchAll(/^(?:export )?(?:let|var) .*$/gm)].map(([line]) => `${path}: ${line}`));
  assertEquals(wrong, []);
});

Deno.test("every file of lib begins by saying what it is for", () => {
  const wrong = sources.filter(({ text }) => !/^(\/\*\*? .{10,}|\/\*\*$|\/\/ .{10,})/.test(text))
    .map(({ path, text }) => `${path}: ${text.split("\n")[0]}`);
  assertEquals(wrong, []);
});

Deno.test("Deno's own module graph of the program holds no import that the scan above missed", async () => {
  const { stdout, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", join(projectRoot, "main.ts")],
    cwd: projectRoot,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: {
      specifier: string;
      error?: string;
      dependencies?: { code?: Resolved; type?: Resolved }[];
    }[];
  };
  const local = (specifier: string): string | undefined =>
    specifier.startsWith("file://")
      ? relative(projectRoot, decodeURIComponent(new URL(specifier).pathname))
      : undefined;
  const wrong: string[] = [];
  for (const { specifier, error, dependencies } of graph.modules) {
    const from = local(specifier);
    if (error !== undefined) wrong.push(`${specifier}: ${error}`);
    if (from === undefined || !from.startsWith("lib/")) continue;
    for (const dependency of dependencies ?? []) {
      for (const resolved of [dependency.code, dependency.type]) {
        const to = resolved?.specifier === undefined ? undefined : local(resolved.specifier);
        if (to !== undefined && !mayImport(from, to)) wrong.push(`${from} → ${to}`);
      }
    }
  }
  assertEquals([...new Set(wrong)], []);
});

interface Resolved {
  readonly specifier?: string;
}
