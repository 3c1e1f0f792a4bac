/** Runs `postern user` and `postern health` as users do. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { postern } from "../support/piped_program.ts";
import { Terminal } from "../support/terminal.ts";

/** Runs a test with a folder of its own, which is removed. */
async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("users are added, changed, listed and deleted without a server", () =>
  inFolder(async (folder) => {
    const state = join(folder, "s.db");
    const user = (words: string, input = "") =>
      postern(["user", "--state", state, ...words.split(" ")], { input });
    assertEquals((await user("list")).code, 1, "nothing is made by looking");
    assertEquals((await user("list")).stderr.includes("There is no state file"), true);
    const added = await user("add alice", "s3cret\n");
    assertEquals(added, { code: 0, stdout: "Added user alice\n", stderr: "" });
    assertEquals((await user("add alice", "x\n")).code, 1);
    assertEquals((await user("add bob:pw")).code, 0);
    assertEquals((await user("passwd bob", "other\n")).code, 0);
    assertEquals((await user("passwd carol", "x\n")).code, 1);
    assertEquals((await user("list")).stdout, "alice\nbob\n");
    assertEquals(JSON.parse((await user("list --json")).stdout), ["alice", "bob"]);
    const key = await user("key add alice phone --json");
    assertMatch(JSON.parse(key.stdout).password, /^\w{4}(-\w{4})+$/);
    assertEquals(JSON.parse((await user("key list alice --json")).stdout)[0].label, "phone");
    assertEquals((await user("key delete alice phone")).code, 0);
    assertEquals((await user("delete bob")).code, 0);
    assertEquals((await user("delete bob")).code, 1);
    assertEquals((await user("list")).stdout, "alice\n");
    const text = new TextDecoder("latin1").decode(await Deno.readFile(state));
    assert(!text.includes("s3cret"), "no password is kept in clear");
  }));

Deno.test("users of a passwd-file are taken over", () =>
  inFolder(async (folder) => {
    const [state, file] = [join(folder, "s.db"), join(folder, "passwd")];
    await Deno.writeTextFile(file, "carol:{PLAIN}c\ndan:{PLAIN}d\n");
    const done = await postern(["user", "import", file, "--state", state]);
    assertEquals(done, { code: 0, stdout: "Added 2, updated 0\n", stderr: "" });
    const piped = await postern(["user", "import", "-", "--state", state], {
      input: "eve:{PLAIN}e\n",
    });
    assertEquals(piped.stdout, "Added 1, updated 0\n");
    const absent = await postern(["user", "import", join(folder, "no"), "--state", state]);
    assertEquals(absent.code, 1);
  }));

Deno.test("a users file that cannot be read is told in one line", () =>
  inFolder(async (folder) => {
    const state = join(folder, "s.db");
    for (const users of [join(folder, "no"), folder]) {
      const refused = await postern(["user", "add", "a:b", "--state", state, "--users", users]);
      assertEquals([refused.code, refused.stdout], [1, ""]);
      assertMatch(refused.stderr, /^postern: The users file \S+ cannot be read: [^\n]+\n$/);
    }
  }));

Deno.test("a name with a blank inside is a name, as in serve's -u", () =>
  inFolder(async (folder) => {
    const state = join(folder, "s.db");
    const user = (...words: string[]) => postern(["user", "--state", state, ...words]);
    assertEquals((await user("add", "ann lee:one")).stdout, "Added user ann lee\n");
    assertEquals((await user("passwd", "ann lee:two")).code, 0);
    for (const name of [" ann", "ann ", "a\tb", "a\nb", ""]) {
      assertEquals((await user("add", `${name}:x`)).code, 2, name);
    }
  }));

Deno.test("a state file that a server holds is left alone", () =>
  inFolder(async (folder) => {
    const path = join(folder, "s.db");
    await using _held = await SqliteState.open({ path });
    const refused = await postern(["user", "list", "--state", path]);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertStringIncludes(refused.stderr, "postern admin");
  }));

Deno.test("postern user says what was expected", async () => {
  for (
    const line of ["", "nonsense", "add", "add a b", "key add x", "list --nope", "list --state"]
  ) {
    const { code, stderr } = await postern([
      "user",
      ...line.split(" ").filter((word) => word !== ""),
    ]);
    assertEquals(code, 2, line);
    assertMatch(stderr, /^postern: [^\n]+\n$/);
  }
});

Deno.test("a new password is asked for twice, without echo", () =>
  inFolder(async (folder) => {
    const args = ["user", "add", "alice", "--state", join(folder, "s.db")];
    await using terminal = new Terminal(args);
    let at = await terminal.see("New password of alice: ");
    await terminal.type("hush1\r");
    at = await terminal.see("Once more: ", at);
    await terminal.type("hush2\r");
    at = await terminal.see("They differ.", at);
    at = await terminal.see("New password of alice: ", at);
    await terminal.type("hush\r");
    at = await terminal.see("Once more: ", at);
    await terminal.type("hush\r");
    await terminal.see("Added user alice", at);
    assertEquals(await terminal.ended(), { code: 0, restored: true });
    assert(!terminal.shown.includes("hush"));
  }));

/** A POP3 port that does with each connection what the test says. */
function pop3Port(
  serve: (connection: Deno.TcpConn) => Promise<void>,
): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open: Deno.TcpConn[] = [];
  void (async () => {
    for await (const connection of listener) {
      open.push(connection);
      await serve(connection);
    }
  })();
  return {
    port: listener.addr.port,
    [Symbol.dispose](): void {
      listener.close();
      for (const connection of open) connection.close();
    },
  };
}

const encoder = new TextEncoder();

Deno.test("health: a greeting is health, and QUIT is said", async () => {
  let heard = "";
  using server = pop3Port(async (connection) => {
    await connection.write(encoder.encode("+OK ready\r\n"));
    const buffer = new Uint8Array(100);
    const count = await connection.read(buffer);
    heard = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    await connection.write(encoder.encode("+OK\r\n"));
  });
  const well = await postern(["health", "-l", "127.0.0.1", "-p", String(server.port)]);
  assertEquals(well, { code: 0, stdout: "+OK ready\n", stderr: "" });
  assertEquals(heard, "QUIT\r\n");
  const env = { POSTERN_PORT: String(server.port) };
  const told = JSON.parse((await postern(["health", "--json"], { env })).stdout);
  assertEquals([told.ok, told.greeting, told.port], [true, "+OK ready", server.port]);
});

Deno.test("health: a refusal, nobody there and a broken line are illness", async () => {
  using refusing = pop3Port(async (connection) => {
    await connection.write(encoder.encode("-ERR \x1b[2Jno\r\n"));
  });
  using closing = pop3Port((connection) => connection.closeWrite());
  const outcomes = await Promise.all(
    [refusing.port, closing.port, 1].map((port) => postern(["health", "-p", String(port)])),
  );
  assertEquals(outcomes.map(({ code, stdout }) => [code, stdout]), Array(3).fill([1, ""]));
  const [refused, closed, nobody] = outcomes.map(({ stderr }) => stderr);
  assertStringIncludes(refused!, "-ERR \\x1b[2Jno");
  assertStringIncludes(closed!, "closed the connection");
  assertStringIncludes(nobody!, "cannot be reached");
});

Deno.test("health: wrong flags are usage", async () => {
  assertEquals((await postern(["health", "-p", "99999"])).code, 2);
  assertEquals((await postern(["health", "--nope"])).code, 2);
  assertEquals((await postern(["health", "-p", "0"])).code, 1);
});
