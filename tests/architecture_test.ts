// Holds the house of docs/design.md: a room imports only rooms below it, contracts hold types only, packages stay in their rooms.
import { assertEquals } from "@std/assert";
import { dirname, join, relative } from "node:path";
import { projectRoot } from "./support/mailboxes.ts";

/** The rooms of lib/, bottom up: each imports only rooms before it in this list. */
const ROOMS: readonly string[] = [
  "contracts",
  "bytes",
  "files",
  "async",
  "log",
  "net",
  "wire",
  "sasl",
  "mail",
  "state",
  "locks",
  "transform",
  "settings",
  "auth",
  "observe",
  "pop3",
  "msmp",
  "peep",
  "lmtp",
  "workers",
  "http",
  "admin",
  "msmp_client",
  "terminal",
  "migrate",
  "app",
  "cli",
];

/** Where each package may be imported; a room, or a folder of one. Specifiers without an entry may be imported nowhere in lib/. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@logtape/logtape": ["log"],
  "@opentelemetry/api": ["observe"],
  "@std/async/delay": ["async"],
  "@std/text/closest-string": ["settings"],
  "@std/text/levenshtein-distance": ["settings"],
  "hash-wasm": ["auth"],
  "jose": ["auth"],
  "pg": ["state"],
  "smol-toml": ["settings"],
};

/** What may run in a session worker: a fault in these rooms reaches the mail folder and no further (docs/security.md, "The sandbox"). */
const NOT_IN_WORKERS: readonly string[] = [
  "auth",
  "state",
  "admin",
  "http",
  "app",
  "msmp",
  "peep",
  "cli",
];
const WORKER_PROGRAM = "lib/workers/thread/session_worker.ts";
const TRANSFORMER_PROGRAM = "lib/workers/transformer/transformer_thread.ts";
const MAIL_PROGRAM = "lib/workers/mail/mail_worker.ts";
const LMTP_PROGRAM = "lib/workers/lmtp/lmtp_thread.ts";

/** Modules that keep a variable that changes, and why. */
const MAY_KEEP_VARIABLES: Readonly<Record<string, string>> = {
  "lib/bytes/kernel/kernel.ts":
    "AssemblyScript: it becomes the WebAssembly kernel, whose memory is its state",
  [WORKER_PROGRAM]: "the program of a worker: it is set up by the first message",
  [TRANSFORMER_PROGRAM]: "the program of a thread: it is set up by the first message",
  [LMTP_PROGRAM]: "the program of a thread: it is set up by the first message",
};

const LONGEST_FILE = 330;
const LARGEST_FOLDER = 3000;

interface SourceFile {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
  /** Imported files of the project, from its root. */
  readonly imports: readonly string[];
  /** Imported packages. */
  readonly packages: readonly string[];
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
  const packages = specifiers.filter((specifier) => !/^(\.|node:)/.test(specifier));
  return { path: relative(projectRoot, file), text, imports, packages };
}

const sources = [...filesBelow(join(projectRoot, "lib"))].map(readSource);

function roomOf(path: string): string {
  return path.split("/")[1]!;
}

function mayImport(from: string, to: string): boolean {
  // The version and the manifest that it comes from belong to no room.
  if (to === "deno.json" || to === "lib/version.ts" || from === "lib/version.ts") return true;
  if (!to.startsWith("lib/")) return false;
  const [above, below] = [roomOf(from), roomOf(to)].map((room) => ROOMS.indexOf(room));
  if (above! < 0 || below! < 0) throw new Error(`${from} or ${to} is in no room of this test`);
  return below! <= above!;
}

Deno.test("a room imports only rooms below it", () => {
  const wrong = sources.flatMap(({ path, imports }) =>
    imports.filter((to) => !mayImport(path, to)).map((to) => `${path} → ${to}`)
  );
  assertEquals(wrong, []);
});

Deno.test("every folder of lib is a room, and every room a folder", () => {
  const folders = [...Deno.readDirSync(join(projectRoot, "lib"))]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assertEquals(folders.toSorted(), ROOMS.toSorted());
});

Deno.test("packages are imported in their rooms only", () => {
  const wrong = sources.flatMap(({ path, packages }) =>
    packages.filter((name) => !(PACKAGES[name] ?? []).includes(roomOf(path)))
      .map((name) => `${path} → ${name}`)
  );
  assertEquals(wrong, []);
});

Deno.test("lib/contracts holds types and error classes only, and lib/bytes needs no other room", () => {
  const wrong: string[] = [];
  for (const { path, text, imports, packages } of sources) {
    const room = roomOf(path);
    if (room !== "contracts" && room !== "bytes") continue;
    for (
      const to of [
        ...imports.filter((each) => roomOf(each) !== room && roomOf(each) !== "contracts"),
        ...packages,
      ]
    ) {
      wrong.push(`${path} → ${to}`);
    }
    if (room === "bytes") continue;
    for (const [statement] of text.matchAll(/^export (?!type |interface ).*$/gm)) {
      if (!/^export class \w+Error extends \w*Error \{/.test(statement)) {
        wrong.push(`${path}: ${statement}`);
      }
    }
    const others =
      /^(?:function|const|let|var|class|import(?! type| \{ \w+Error \} from "\.\/)) .*$/gm;
    for (const [statement] of text.matchAll(others)) wrong.push(`${path}: ${statement}`);
  }
  assertEquals(wrong, []);
});

Deno.test("what runs in workers and beside them comes from no room that faces administrators or secrets", () => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const closure = new Set<string>();
  const visit = (path: string): void => {
    if (closure.has(path)) return;
    closure.add(path);
    const { text = "", imports = [] } = byPath.get(path) ?? {};
    // Types alone are gone when it runs.
    const types = new Set(
      [...text.matchAll(/^\s*(?:import|export)\s+type\s[^;]*?from\s+"([^"]+)"/gm)]
        .map((match) => relative(projectRoot, join(dirname(join(projectRoot, path)), match[1]!))),
    );
    for (const to of imports) if (to.startsWith("lib/") && !types.has(to)) visit(to);
  };
  visit(WORKER_PROGRAM);
  visit(TRANSFORMER_PROGRAM);
  visit(MAIL_PROGRAM);
  visit(LMTP_PROGRAM);
  assertEquals([...closure].filter((path) => NOT_IN_WORKERS.includes(roomOf(path))), []);
});

Deno.test("files and folders of lib stay small enough to be read", () => {
  const lines = ({ text }: SourceFile): number => text.split("\n").length - 1;
  const long = sources.filter((source) => lines(source) > LONGEST_FILE).map(({ path }) => path);
  assertEquals(long, []);
  const folders = new Map<string, number>();
  for (const source of sources) {
    const folder = dirname(source.path);
    folders.set(folder, (folders.get(folder) ?? 0) + lines(source));
  }
  assertEquals([...folders].filter(([, sum]) => sum > LARGEST_FOLDER), []);
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
