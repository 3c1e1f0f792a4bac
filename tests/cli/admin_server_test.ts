/** The admin client against the real server: every row of its table, TLS, and the health check. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MsmpClient } from "../../lib/msmp_client/msmp_client.ts";
import { testAuthority } from "../support/certificates.ts";
import { postern } from "../support/piped_program.ts";
import { startProgram } from "../support/program.ts";

const ADMIN = ["--admin-listen", "127.0.0.1", "--admin", "root:top secret"];
const env = { POSTERN_ADMIN_LOGIN: "root:top secret" };

/** Runs a test with a folder for mailboxes. */
async function withMaildir(test: (maildir: string) => Promise<void>): Promise<void> {
  const maildir = await Deno.makeTempDir();
  try {
    await test(maildir);
  } finally {
    await Deno.remove(maildir, { recursive: true });
  }
}

Deno.test("every row of the admin client's table, on a running server", () =>
  withMaildir(async (maildir) => {
    await using program = await startProgram({
      maildir,
      users: { alice: "a" },
      flags: [...ADMIN, "--max-connections", "50"],
    });
    using client = await program.connect();
    await client.login("alice", "a");
    const rows: readonly (readonly [line: string, answer: RegExp])[] = [
      ["add user bob two words", /^{"ok":true,"message":"Added user"}$/],
      ["add user bob x", /"ok":false,"message":"User bob exists; passwd sets a new password"}$/],
      ["passwd bob builder", /^{"ok":true,"message":"Updated password"}$/],
      ["passwd nobody x", /"ok":false,"message":"User does not exist"}$/],
      ["ADD bob builder", /^{"ok":true,"message":"Updated password"}$/],
      ["users", /^\["alice","bob"\]$/],
      ["list", /^\["alice","bob"\]$/],
      ["list alice", /^{"user":"alice","logs":1}$/],
      ["delete user bob", /"Deleted user"/],
      ["delete user alice", /"User is currently logged in"/],
      ["max connections", /^{"key":"max_connections","value":"50"}$/],
      ["set max connections 60", /"Changed value"/],
      ["get max connections", /"60"/],
      ["timeout", /"600"/],
      ["transformer", /"none"/],
      ["maildir", /"value":"\//],
      ["stat", /^{"pop3.sessions.active":1,/],
      ["stat pop3.logins", /^{"pop3.logins":1}$/],
      ["current connections amount", /"value":1}$/],
      ["all time connection amount", /"value":1}$/],
      ["all time logged amount", /"value":1}$/],
      ["retrieved bytes", /"value":\d+}$/],
      ["retrieved emails", /"value":0}$/],
      ["removed emails amount", /"value":0}$/],
      ["current logged users", /^{"count":1,"users":\["alice"\]}$/],
      ["logs alice", /^\[{"time":"\d{4}-.*"address":"127.0.0.1"/],
      ["sessions", /^\[{"id":"[^"]+","user":"alice","address":"127.0.0.1"/],
      ["kick nobody", /"ok":false/],
      ["capa", /"VERSIONS 1 2"/],
      ["help", /"help":/],
      ["HELP", /STAT/],
      ["key add alice my phone", /^{"password":"[a-z2-9-]+"}$/],
      ["key list alice", /"label":"my phone"/],
      ["settings", /{"key":"max_connections","value":"60","source":"set"}/],
      ["history pop3.logins 5", /"value":1}\]$/],
      ["bans", /^\[\]$/],
      ["top", /"sessions":\[{/],
      ["NOOP", /"ok":true/],
      ["NEWER command", /"ok":false/],
    ];
    const { stdout, stderr } = await postern(
      ["admin", "--json", "-p", String(program.port("msmp"))],
      { env, input: rows.map(([line]) => line).join("\n") },
    );
    const answers = stdout.trimEnd().split("\n");
    assertEquals(answers.length, rows.length, stdout + stderr);
    for (const [at, [line, answer]] of rows.entries()) assertMatch(answers[at]!, answer, line);
    const figures = await postern(["admin", "-p", String(program.port("msmp")), "-m"], { env });
    assertMatch(figures.stdout, /^pop3\.sessions\.active +1\n/);
    // The spellings of an older client; several commands are done in their order, and each says what it did.
    const several = await postern([
      ...["admin", "-address", "127.0.0.1", "-port", String(program.port("msmp"))],
      ...["-user", "root", "-pass", "top secret"],
      ...["-n", "cleo:one", "-n", "cleo:two", "-m", "pop3.logins", "-d", maildir],
    ]);
    assertEquals(
      several.stdout,
      "Added user\nUpdated password\npop3.logins  1\nChanged value\n",
      several.stderr,
    );
    using cleo = await program.connect();
    await cleo.login("cleo", "two");
    await cleo.ok("QUIT");
    const watched = await postern(["health", "-p", String(program.port())]);
    assertEquals(watched.code, 0);
    assertMatch(watched.stdout, /^\+OK /);
  }));

Deno.test("TLS is used where it is offered, and verified where that is asked for", async () => {
  await using authority = await testAuthority();
  const { chain, key } = await authority.issue("mail.example.org");
  const other = await authority.issue("elsewhere.example.org", {
    names: ["DNS:elsewhere.example.org"],
  });
  await withMaildir(async (maildir) => {
    const flags = (of: { chain: string; key: string }): string[] => [
      ...ADMIN,
      ...["--tls-cert", of.chain, "--tls-key", of.key, "--tls-port", "0", "--require-tls"],
    ];
    {
      await using program = await startProgram({ maildir, flags: flags({ chain, key }) });
      const port = String(program.port("msmp"));
      const own = await postern(["admin", "-p", port, "get", "timeout"], { env });
      assertEquals(own, { code: 0, stdout: "600\n", stderr: "" });
      const ca = `${authority.folder}/ca.pem`;
      const known = await postern(["admin", "-p", port, "--tls", "--ca", ca, "timeout"], { env });
      assertEquals(known, { code: 0, stdout: "600\n", stderr: "" });
      const unknown = await postern(["admin", "-p", port, "--tls", "timeout"], { env });
      assertEquals([unknown.code, unknown.stdout], [3, ""]);
      assertStringIncludes(unknown.stderr, "--ca FILE");
    }
    await using program = await startProgram({ maildir, flags: flags(other) });
    const ca = `${authority.folder}/ca.pem`;
    const args = ["admin", "-p", String(program.port("msmp")), "--ca", ca, "timeout"];
    const { code, stderr } = await postern(args, { env });
    assertEquals(code, 3, stderr);
    assert(!stderr.includes("top secret"));
  });
});

Deno.test("health says when all of max_connections are taken", () =>
  withMaildir(async (maildir) => {
    await using program = await startProgram({
      maildir,
      users: { ann: "secret" },
      flags: ["--max-connections", "1"],
    });
    using client = await program.connect();
    await client.login("ann", "secret");
    const begun = performance.now();
    const { code, stderr } = await postern(["health", "-p", String(program.port())]);
    assert(performance.now() - begun < 60_000);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "max_connections");
  }));

Deno.test("a watch gives snapshots until it is ended, and the connection serves on", () =>
  withMaildir(async (maildir) => {
    await using program = await startProgram({ maildir, flags: ADMIN });
    using client = await MsmpClient.connect({
      host: "127.0.0.1",
      port: program.port("msmp"),
      login: { name: "root", password: "top secret" },
    });
    const ending = new AbortController();
    const snapshots: (readonly string[])[] = [];
    for await (const lines of client.watch(1, ending.signal)) {
      snapshots.push(lines);
      if (snapshots.length === 2) ending.abort();
    }
    assertEquals(snapshots.length, 2);
    assertMatch(snapshots[0]![0]!, /^time: \d{4}-/);
    assertStringIncludes(snapshots[1]!.join("\n"), "pop3.sessions.active: 0");
    assertEquals((await client.request("GET timeout")).text, "600");
  }));
