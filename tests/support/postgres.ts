/** A PostgreSQL of this process's own, for tests: made where Debian's programs are found, ended with the process. */

import { join } from "node:path";

/** What is run of PostgreSQL. */
const PROGRAMS = findPrograms();

/** Whether there is a PostgreSQL; tests that need one are skipped otherwise, and say so. */
export const hasPostgres: boolean = PROGRAMS !== undefined;

const PASSWORD = "pg secret";
const SETTINGS = [
  ["fsync", "off"],
  ["max_connections", "90"],
  ["listen_addresses", "127.0.0.1"],
  ["unix_socket_directories", ""],
  ["shared_buffers", "32MB"],
  ["hot_standby", "on"],
] as const;

/** A database server. */
export class TestPostgres {
  /** Its folder. */
  readonly folder: string;
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** The password of its account. */
  get password(): string {
    return PASSWORD;
  }

  /** Makes and starts one. Its files go when the process ends. */
  static start(): TestPostgres {
    const folder = Deno.makeTempDirSync({ prefix: "postern-pg-" });
    globalThis.addEventListener("unload", () => {
      new Deno.Command(asOwner("pg_ctl")[0]!, {
        args: [
          ...asOwner("pg_ctl").slice(1),
          "-D",
          join(folder, "data"),
          "-m",
          "immediate",
          "stop",
        ],
        stdout: "null",
        stderr: "null",
      }).outputSync();
      Deno.removeSync(folder, { recursive: true });
    });
    Deno.writeTextFileSync(join(folder, "password"), PASSWORD);
    if (isRoot()) run(["chown", "-R", "postgres", folder]);
    run([
      ...asOwner("initdb"),
      ...["-D", join(folder, "data"), "-U", "postern", "-A", "scram-sha-256", "-E", "UTF8"],
      ...["--locale=C", "--no-sync", `--pwfile=${join(folder, "password")}`],
    ]);
    const postgres = new TestPostgres(folder, freePort());
    postgres.up();
    return postgres;
  }

  /** The place of a state in a schema. */
  url(schema: string, parameters = ""): string {
    return `postgres://postern@127.0.0.1:${this.port}/postgres?schema=${schema}${parameters}`;
  }

  /** Starts it again. */
  up(): void {
    const options = SETTINGS.flatMap(([name, value]) => ["-c", `${name}='${value}'`]);
    run([
      ...asOwner("pg_ctl"),
      ...["-D", join(this.folder, "data"), "-w", "-l", join(this.folder, "data", "log")],
      ...["-o", `-p ${this.port} ${options.join(" ")}`, "start"],
    ]);
  }

  /** Stops it: `fast` ends connections, `immediate` is a kill. */
  down(mode: "fast" | "immediate" = "fast"): void {
    run([...asOwner("pg_ctl"), "-D", join(this.folder, "data"), "-m", mode, "-w", "stop"]);
  }

  /** Lets all its processes stand still, or go on. */
  signal(signal: "STOP" | "CONT"): void {
    const [pid = ""] = Deno.readTextFileSync(join(this.folder, "data", "postmaster.pid")).split(
      "\n",
    );
    run(["pkill", `-${signal}`, "-P", pid], [0, 1]);
    run(["kill", `-${signal}`, pid]);
  }

  /** Runs a statement; returns the rows' fields, with `|` between, a line a row. */
  sql(statement: string): string {
    return run([
      ...["env", `PGPASSWORD=${PASSWORD}`, `${PROGRAMS}/psql`, "-X", "-A", "-t", "-q"],
      ...["-h", "127.0.0.1", "-p", `${this.port}`, "-U", "postern", "-d", "postgres"],
      ...["-v", "ON_ERROR_STOP=1", "-c", statement],
    ]).trim();
  }
}

let shared: TestPostgres | undefined;

/** The one that all tests of this process share, started when it is first asked for. */
export function testPostgres(): TestPostgres {
  return shared ??= TestPostgres.start();
}

/** A schema's name that no other test uses. */
export function freshSchema(): string {
  return `t${crypto.randomUUID().replaceAll("-", "")}`;
}

function findPrograms(): string | undefined {
  const found: string[] = [];
  try {
    for (const { name } of Deno.readDirSync("/usr/lib/postgresql")) {
      const folder = `/usr/lib/postgresql/${name}/bin`;
      try {
        if (Deno.statSync(`${folder}/initdb`).isFile) found.push(folder);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort().at(-1);
}

function isRoot(): boolean {
  return Deno.uid() === 0;
}

/** PostgreSQL does not run as root. */
function asOwner(program: string): string[] {
  const path = `${PROGRAMS}/${program}`;
  return isRoot() ? ["runuser", "-u", "postgres", "--", path] : [path];
}

function run([command, ...args]: readonly string[], statuses: readonly number[] = [0]): string {
  const { code, stdout, stderr } = new Deno.Command(command!, { args, cwd: "/" }).outputSync();
  const text = new TextDecoder().decode(stdout);
  if (statuses.includes(code)) return text;
  throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}${text}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
