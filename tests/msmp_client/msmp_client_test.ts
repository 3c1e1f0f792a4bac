/** Tests the client of the management protocol against a server that can misbehave. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AdminSession } from "../../lib/cli/admin/admin_session.ts";
import { NoConnectionError, RefusedError } from "../../lib/msmp_client/errors.ts";
import { MsmpClient, type MsmpClientOptions } from "../../lib/msmp_client/msmp_client.ts";
import { FAKE_LOGIN, FakeMsmp, type FakeMsmpOptions } from "../support/fake_msmp.ts";
import { eventually } from "../support/waiting.ts";

function optionsFor(server: FakeMsmp, more: Partial<MsmpClientOptions> = {}): MsmpClientOptions {
  return { host: "127.0.0.1", port: server.port, login: FAKE_LOGIN, ...more };
}

/** What a client reads as the answer to `STAT` when the server answers these lines, cut in every way. */
async function linesOfStat(options: FakeMsmpOptions): Promise<readonly string[]> {
  await using server = new FakeMsmp(options);
  using client = await MsmpClient.connect(optionsFor(server));
  const { lines } = await client.request("STAT");
  assertEquals((await client.request("GET timeout")).text, "600");
  return lines;
}

Deno.test("the client asks for version 2 and reads framed answers", async () => {
  await using server = new FakeMsmp();
  using client = await MsmpClient.connect(optionsFor(server));
  assertEquals(client.version, 2);
  assertEquals(await client.request("LIST"), { ok: true, text: "", lines: ["alice", "bob"] });
  assertEquals(await client.request("GET timeout"), { ok: true, text: "600", lines: [] });
  assertEquals(await client.request("GET no"), { ok: false, text: "Invalid key", lines: [] });
  assertEquals(server.heard.slice(0, 4), [
    "STLS",
    `USER ${FAKE_LOGIN.name}`,
    `PASS ${FAKE_LOGIN.password}`,
    "MSMP 2",
  ]);
});

Deno.test("the client takes dots off that were stuffed, wherever the network cuts the answer", async () => {
  const answers = { STAT: ["+OK", "..", "...x", ".. y", "", "..z", "."] };
  for (const chunk of [1, 2, 3, 7, 1000]) {
    assertEquals(await linesOfStat({ answers, chunk }), [".", "..x", ". y", "", ".z"]);
  }
});

Deno.test("the client falls back to version 1, whose answers nothing ends", async () => {
  await using server = new FakeMsmp({ version: 1, chunk: 5 });
  using client = await MsmpClient.connect(optionsFor(server, { quiet: 150 }));
  assertEquals(client.version, 1);
  assertEquals((await client.request("LIST")).lines, ["alice", "bob"]);
  assertEquals((await client.request("STAT")).lines.length, 3);
  assertEquals((await client.request("LIST bob")).lines, ["bob 3 logs"]);
  assertEquals((await client.request("ADD carol c")).text, "Added user");
  assertEquals((await client.request("LIST")).lines, ["alice", "bob", "carol"]);
});

Deno.test("an answer of version 1 that says how many are left is whole at once", async () => {
  const answers = { LIST: ["+OK", "alice", "... 400 more"] };
  await using server = new FakeMsmp({ version: 1, answers });
  using client = await MsmpClient.connect(optionsFor(server, { quiet: 60_000 }));
  assertEquals((await client.request("LIST")).lines, ["alice", "... 400 more"]);
});

Deno.test("a command that the client does not know is read with or without a frame", async () => {
  const answers = { "NEWER x": ["+OK", "a", "..b", "."], "NEWEST": ["+OK done"] };
  await using server = new FakeMsmp({ answers });
  using client = await MsmpClient.connect(optionsFor(server, { quiet: 150 }));
  assertEquals((await client.request("NEWER x")).lines, ["a", ".b"]);
  assertEquals(await client.request("NEWEST"), { ok: true, text: "done", lines: [] });
});

Deno.test("a wrong password is the server's refusal", async () => {
  await using server = new FakeMsmp();
  const login = { name: "root", password: "wrong" };
  const error = await assertRejects(
    () => MsmpClient.connect(optionsFor(server, { login })),
    RefusedError,
  );
  assertEquals(error.message, "Invalid credentials");
});

Deno.test("a server that shuts this address out is heard", async () => {
  await using server = new FakeMsmp({ greeting: "-ERR Too many failed logins, try again later" });
  const error = await assertRejects(() => MsmpClient.connect(optionsFor(server)), RefusedError);
  assertEquals(error.message, "Too many failed logins, try again later");
});

Deno.test("nobody there, and something else there, are no connection", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const options = { host: "127.0.0.1", port, login: FAKE_LOGIN };
  const nobody = await assertRejects(() => MsmpClient.connect(options), NoConnectionError);
  assertStringIncludes(nobody.message, `127.0.0.1:${port}`);
  await using server = new FakeMsmp({ greeting: "+OK POP3 \x1b[2Jserver ready" });
  const other = await assertRejects(
    () => MsmpClient.connect(optionsFor(server)),
    NoConnectionError,
  );
  assertStringIncludes(other.message, "\\x1b[2Jserver");
});

Deno.test("a server that never greets is given up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const options = { host: "127.0.0.1", port: listener.addr.port, login: FAKE_LOGIN, timeout: 100 };
  await assertRejects(() => MsmpClient.connect(options), NoConnectionError, "not answered within");
  (await accepted).close();
});

Deno.test("a line without an end is given up before it fills the memory", async () => {
  await using server = new FakeMsmp({ answers: { NOOP: ["x".repeat(100_000)] } });
  using client = await MsmpClient.connect(optionsFor(server));
  await assertRejects(() => client.request("NOOP"), NoConnectionError, "over 65536");
  await using other = new FakeMsmp({ greeting: `+OK MSMP1 ${"x".repeat(1_000_000)}` });
  await assertRejects(() => MsmpClient.connect(optionsFor(other)), NoConnectionError);
});

Deno.test("--tls insists on TLS", async () => {
  await using server = new FakeMsmp();
  const error = await assertRejects(
    () => MsmpClient.connect(optionsFor(server, { tls: true })),
    NoConnectionError,
  );
  assertStringIncludes(error.message, "offers no TLS");
  assertEquals(server.heard, ["STLS"], "no password went over the line");
});

Deno.test("a line break cannot be smuggled into a command", async () => {
  await using server = new FakeMsmp();
  using client = await MsmpClient.connect(optionsFor(server));
  await assertRejects(() => client.request("GET a\r\nDELE alice"), TypeError);
  assert(!server.heard.includes("DELE alice"));
});

Deno.test("a session connects anew after the server hung up between commands", async () => {
  await using server = new FakeMsmp();
  await using session = new AdminSession(optionsFor(server));
  assertEquals((await session.request(() => "GET timeout")).text, "600");
  const client = await session.client();
  server.hangUp();
  await eventually("the lost connection is noticed", () => client.ended);
  assertEquals((await session.request(() => "GET timeout")).text, "600");
  assertEquals(server.accepted, 2);
});
