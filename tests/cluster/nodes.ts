/** Several started programs over one database and one mail folder, for tests. */

import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { freshSchema, hasPostgres, type TestPostgres, testPostgres } from "../support/postgres.ts";
import {
  type ProgramOptions,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/program.ts";

/** Users of every cluster; all have mail. */
export const USERS = { ann: "annika", bob: "builder", cleo: "patra" } as const;

/** A database and a mail folder that nodes share. Disposing stops the nodes. */
export class Cluster implements AsyncDisposable {
  readonly postgres: TestPostgres;
  readonly schema: string;
  readonly maildir: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(postgres: TestPostgres, maildir: string, resources: AsyncDisposableStack) {
    this.postgres = postgres;
    this.schema = freshSchema();
    this.maildir = maildir;
    this.#resources = resources;
  }

  /** Makes one without nodes. @param messages how many each user has */
  static async make(
    { messages = 3, postgres = testPostgres() }: {
      readonly messages?: number;
      readonly postgres?: TestPostgres;
    } = {},
  ): Promise<Cluster> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await temporaryFolder());
    const maildir = join(folder.path, "mail");
    for (const user of Object.keys(USERS)) {
      const octets = Array.from({ length: messages }, (_, n) => messageOfSize(300, `${user} ${n}`));
      await makeMailbox(join(maildir, user), "maildir", octets);
    }
    return new Cluster(postgres, maildir, resources.move());
  }

  /** The place of the state. */
  get url(): string {
    return this.postgres.url(this.schema);
  }

  /** Starts a node; the caller stops it, or the cluster does. */
  start(name: string, ...flags: readonly string[]): Promise<RunningProgram> {
    return this.startWith(name, { flags });
  }

  /** Starts a node, and looks at it before it is ready. */
  async startWith(
    name: string,
    { flags = [], ...options }: Pick<ProgramOptions, "flags" | "starting">,
  ): Promise<RunningProgram> {
    const program = await startProgram({
      ...options,
      maildir: this.maildir,
      users: USERS,
      state: this.url,
      env: { POSTERN_STATE_PASSWORD: this.postgres.password },
      flags: [
        ...["--node", name, "--admin", "root:toor", "--workers", "1", "--auth-delay", "0"],
        ...flags,
      ],
    });
    this.#resources.defer(async () => void await program.stop("SIGKILL"));
    return program;
  }

  /** Asks a node as an administrator. */
  async manage(
    node: RunningProgram,
    ...command: readonly string[]
  ): Promise<{ readonly code: number; readonly said: string }> {
    const args = ["admin", "-p", `${node.port("msmp")}`, "-u", "root:toor", ...command];
    const { code, stdout, stderr } = await runProgram(args);
    return { code, said: `${stdout}${stderr}`.trim() };
  }

  /** Runs a statement in the state's schema: `{lease}` is the table of that name. */
  sql(statement: string): string {
    return this.postgres.sql(statement.replaceAll(/\{(\w+)\}/g, `${this.schema}.$1`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Registers a test that needs a database; where there is none, it is skipped, and the runner says so. */
export function clusterTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasPostgres, fn: body });
}

/** Logs in; returns the answer to PASS. */
export async function logIn(
  node: RunningProgram,
  user: keyof typeof USERS,
): Promise<{ readonly answer: string; readonly client: Awaited<ReturnType<typeof node.connect>> }> {
  const client = await node.connect();
  await client.line();
  await client.ok(`USER ${user}`);
  return { answer: await client.command(`PASS ${USERS[user]}`), client };
}

/** A whole session that reads nothing; returns the answer to PASS. */
export async function visit(node: RunningProgram, user: keyof typeof USERS): Promise<string> {
  const { answer, client } = await logIn(node, user);
  using _ = client;
  if (answer.startsWith("+OK")) await client.ok("QUIT");
  return answer;
}
