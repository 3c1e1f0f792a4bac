// Authentication hooks, on the running program: by HTTP, through a socket and by a program; what hangs, and what answers garbage.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { LmtpClient } from "../support/lmtp_client.ts";
import { type RunningProgram, runProgram, startProgram } from "../support/program.ts";
import { projectRoot } from "../support/mailboxes.ts";

interface Question {
  readonly user: string;
  readonly password: string | null;
  readonly address: string | null;
  readonly tls: boolean;
  readonly mechanism: string | null;
}

/** A hook of the test's own, which notes what it is asked. */
class TestHook implements AsyncDisposable {
  readonly questions: Question[] = [];
  readonly #server: Deno.HttpServer<Deno.Addr>;

  constructor(
    where: { readonly path: string } | { readonly port: number },
    answer: (question: Question) => Response | Promise<Response>,
  ) {
    const options = { onListen: (): void => {} };
    const serve = async (request: Request): Promise<Response> => {
      const question = await request.json() as Question;
      this.questions.push(question);
      return await answer(question);
    };
    this.#server = "path" in where
      ? Deno.serve({ ...options, path: where.path }, serve)
      : Deno.serve({ ...options, hostname: "127.0.0.1", port: where.port }, serve);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.addr as Deno.NetAddr).port}/login`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A folder of the test's own. */
function folder(): Disposable & { readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "postern-hook-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** What PASS is answered. */
async function login(program: RunningProgram, user: string, password: string): Promise<string> {
  using client = await program.connect();
  await client.line();
  await client.command(`USER ${user}`);
  const answer = await client.command(`PASS ${password}`);
  if (answer.startsWith("+OK")) await client.command("QUIT");
  return answer;
}

const FLAGS = ["--auth-delay", "0", "--ban-failures", "0"];

Deno.test("a hook is asked once for a login, is remembered, and says where the mailbox is", async () => {
  using root = folder();
  await using hook = new TestHook({ port: 0 }, ({ user, password }) =>
    Response.json(
      user === "ada" && (password === "right" || password === null)
        ? { ok: true, user: "Ada@Example.ORG", mailbox: "%d/%n/box", limits: { quota: "1G" } }
        : { ok: false, reason: "wrong" },
    ));
  await using program = await startProgram({
    maildir: root.path,
    users: { bob: "x" },
    flags: [
      ...FLAGS,
      "--auth-hook",
      hook.url,
      "--names",
      "lower",
      "--lmtp",
      "127.0.0.1:0",
      "--admin",
      "root:root",
    ],
  });
  assertMatch(await login(program, "ada", "right"), /^\+OK/);
  assertMatch(await login(program, "ada", "right"), /^\+OK/);
  assertEquals(hook.questions, [{
    user: "ada",
    password: "right",
    address: "127.0.0.1",
    tls: false,
    mechanism: "USER",
  }]);
  assert(Deno.statSync(`${root.path}/example.org/ada/box/cur`).isDirectory);
  assertMatch(await login(program, "ada", "wrong"), /^-ERR \[AUTH\]/);
  assertMatch(await login(program, "bob", "x"), /^\+OK/);
  assertMatch(await login(program, "bob", "right"), /^-ERR \[AUTH\]/);
  assertEquals(hook.questions.length, 2, "users of the state are not asked for");
  using client = await LmtpClient.connect({ port: program.port("lmtp") });
  await client.command("LHLO x");
  assertMatch((await client.deliver(["ada"], "a: b\r\n\r\nc\r\n"))[0]!, /^250/);
  assertMatch(await login(program, "ada", "right"), /^\+OK 1 messages/);
  // What an administrator has disabled, no hook lets in.
  const args = ["admin", "-p", String(program.port("msmp")), "-u", "root:root", "user", "disable"];
  assertEquals((await runProgram([...args, "ada@example.org"])).code, 0);
  assertMatch(await login(program, "ada", "right"), /^-ERR \[AUTH\]/);
});

Deno.test("a hook that hangs or answers garbage fails its own login as temporary, and nobody else's", async () => {
  using root = folder();
  const hanging = Promise.withResolvers<Response>();
  await using _hook = new TestHook({ path: `${root.path}/hook.sock` }, ({ user }) => {
    switch (user) {
      case "hang":
        return hanging.promise;
      case "garbage":
        return new Response("<html>");
      case "big":
        return new Response("x".repeat(10_000_000));
      case "nothing":
        return new Response(null);
      case "list":
        return Response.json([1]);
      case "evil":
        return Response.json({ ok: true, user: "../../etc" });
      case "status":
        return new Response("{}", { status: 500 });
      case "forbidden":
        return new Response("", { status: 403 });
      default:
        return Response.json({ ok: true });
    }
  });
  await using program = await startProgram({
    maildir: root.path,
    flags: [...FLAGS, "--auth-hook", `unix:${root.path}/hook.sock`, "--auth-hook-timeout", "3"],
  });
  const slow = login(program, "hang", "x");
  assertMatch(await login(program, "good", "x"), /^\+OK/);
  for (const user of ["garbage", "big", "nothing", "list", "evil", "status"]) {
    assertMatch(await login(program, user, "x"), /^-ERR \[SYS\/TEMP\]/, user);
  }
  assertMatch(await login(program, "forbidden", "x"), /^-ERR \[AUTH\]/);
  assertMatch(await slow, /^-ERR \[SYS\/TEMP\]/);
  hanging.resolve(new Response(null));
});

Deno.test("a hook may be a program, as those of docs/hooks are", async () => {
  using root = folder();
  const script = `${root.path}/checkpassword`;
  // The interface of checkpassword: name, password and time on descriptor 3; 1 for wrong, 111 for later.
  Deno.writeTextFileSync(
    script,
    `#!/bin/sh\nread=$(tr '\\0' '\\n' <&3)\nset -- $read "$@"\n` +
      `case "$1 $2" in "ada right") exit 0;; "later x") exit 111;; *) exit 1;; esac\n`,
  );
  Deno.chmodSync(script, 0o755);
  Deno.mkdirSync(`${root.path}/mail`);
  await using program = await startProgram({
    maildir: `${root.path}/mail`,
    flags: [
      ...FLAGS,
      "--auth-hook",
      `python3 ${projectRoot}/docs/hooks/checkpassword.py ${script}`,
    ],
  });
  assertMatch(await login(program, "ada", "right"), /^\+OK/);
  assertMatch(await login(program, "ada", "wrong"), /^-ERR \[AUTH\]/);
  assertMatch(await login(program, "later", "x"), /^-ERR \[SYS\/TEMP\]/);
  assertMatch(await login(program, "$(id)", "'; id"), /^-ERR \[AUTH\]/);
});
