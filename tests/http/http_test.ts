/** What HTTP shows, and that hostile clients of it harm nobody. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import type { SessionView } from "../../lib/observe/sessions.ts";
import { type HttpServer, parseListen, startHttp, type Watch } from "../../lib/http/http_server.ts";

const NOW = 1_700_000_000_000;

const SESSION: SessionView = {
  id: "1",
  user: `<img src=x onerror=alert(1)>\u202e"'&`,
  address: "192.0.2.7",
  port: 110,
  tls: "TLSv1.3",
  mechanism: "USER",
  state: "transaction",
  since: NOW - 65_000,
  login: NOW,
  bytes: 1_234_567,
  retrieved: 3,
  retrievedOctets: 1_000_000,
  deleted: 0,
  lastCommand: "RETR",
};

function watch(more: Partial<Watch> = {}): Watch {
  return {
    serverName: "mail.example.org",
    version: "1.2.3",
    uptime: () => 90_000_000,
    trouble: () => undefined,
    figures: () => ({ "pop3.sessions.active": 17, "pop3.bytes.sent": 2_500_000 }),
    history: (name) =>
      name === "pop3.connections" ? [{ minute: NOW - NOW % 60_000, value: 41 }] : undefined,
    hours: (name) =>
      Promise.resolve(
        name === "pop3.connections"
          ? [{ hour: NOW - NOW % 3_600_000 - 3_600_000, value: 5 }, {
            hour: NOW - NOW % 3_600_000,
            value: 7,
          }]
          : [],
      ),
    sessions: () => [SESSION],
    metrics: () => "pop3_logins_total 1\n",
    health: () => Promise.resolve([]),
    readiness: () => Promise.resolve([]),
    ...more,
  };
}

function start(more: Partial<Watch> = {}): Promise<HttpServer> {
  return startHttp(watch(more), { listen: "127.0.0.1:0", now: () => NOW });
}

async function get(server: HttpServer, path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

async function raw(server: HttpServer, text: string): Promise<string> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await socket.write(new TextEncoder().encode(text));
  let answer = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  for (;;) {
    const n = await socket.read(buffer).catch(() => null);
    if (n === null) return answer;
    answer += decoder.decode(buffer.subarray(0, n));
  }
}

Deno.test("health, readiness and metrics are answered as probes expect", async () => {
  let troubles: readonly string[] = [];
  await using server = await start({
    health: () => Promise.resolve(troubles.slice(0, 1)),
    readiness: () => Promise.resolve(troubles),
  });
  const health = await get(server, "/healthz");
  assertEquals([health.status, await health.text()], [200, "ok\n"]);
  const ready = await get(server, "/readyz");
  assertEquals([ready.status, await ready.text()], [200, "ready\n"]);
  troubles = ["A session worker hangs", "The mail folder\n/mail is gone"];
  const ill = await get(server, "/healthz");
  assertEquals([ill.status, await ill.text()], [503, "A session worker hangs\n"]);
  const unready = await get(server, "/readyz?verbose");
  assertEquals(
    [unready.status, await unready.text()],
    [503, "A session worker hangs\nThe mail folder\\x0a/mail is gone\n"],
  );
  const metrics = await get(server, "/metrics");
  assertEquals(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assertEquals(await metrics.text(), "pop3_logins_total 1\n");
});

Deno.test("HEAD has the headers of GET and no body; other methods and paths are refused", async () => {
  await using server = await start();
  const head = await get(server, "/metrics", { method: "HEAD" });
  assertEquals(head.headers.get("content-length"), "20");
  assertEquals(await head.text(), "");
  const post = await get(server, "/", { method: "POST", body: "x" });
  assertEquals([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
  await post.body?.cancel();
  const other = await get(server, "/etc/passwd");
  assertEquals(other.status, 404);
  await other.body?.cancel();
});

Deno.test("the dashboard shows figures, the last hour and sessions, all of it escaped", async () => {
  await using server = await start();
  const response = await get(server, "/");
  const page = await response.text();
  assertMatch(page, /<b>17<\/b><span>Sessions now/);
  assertMatch(page, /<b>2.5 MB<\/b><span>Sent/);
  assertMatch(page, /Connections per minute in the last hour: now 41, at most 41 in a minute\./);
  assertMatch(page, /up for 1 d 1 h/);
  assertMatch(page, /<td>&lt;img src=x onerror=alert\(1\)&gt;\\u202e&quot;&#39;&amp;<\/td>/);
  assertMatch(page, /<td class="n">1.23 MB<\/td><td class="n">1 min 5 s<\/td>/);
  assert(!page.includes("<img"));
  const live = await (await get(server, "/live")).text();
  assert(page.includes(live));
});

Deno.test("charts go back a day, a week, a month and a year, and figures are exported by hours", async () => {
  await using server = await start();
  for (const span of ["day", "week", "month", "year"]) {
    const page = await (await get(server, `/?span=${span}`)).text();
    assert(page.includes(`aria-current="page">${span}</b>`), span);
    assert(page.includes(`in the last ${span}: now `), span);
    assertEquals((await get(server, `/live?span=${span}`)).status, 200);
  }
  const year = await (await get(server, "/?span=year")).text();
  assertMatch(year, /Connections per 3 days in the last year: now 12, at most 12 in 3 days\./);
  const csv = await get(server, "/history.csv?hours=2");
  assertEquals(csv.headers.get("content-type"), "text/csv; charset=utf-8");
  const [names, ...lines] = (await csv.text()).trimEnd().split("\n");
  assertMatch(names!, /^time,pop3\.sessions\.active,pop3\.sessions\.peak,pop3\.connections,/);
  assertMatch(lines.join(), /^2023-11-14T21:00:00\.000Z,,,5,.*,2023-11-14T22:00:00\.000Z,,,7,/);
  const json = await (await get(server, "/history.json")).json();
  assertEquals(json[1], { time: "2023-11-14T22:00:00.000Z", "pop3.connections": 7 });
  for (const path of ["/?span=century", "/history.csv?hours=0", "/history.json?hours=x"]) {
    const refused = await get(server, path);
    assertEquals(refused.status, 404, path);
    await refused.body?.cancel();
  }
});

Deno.test("the dashboard allows its own script and style by their hashes and nothing else", async () => {
  await using server = await start();
  const response = await get(server, "/");
  const page = await response.text();
  const policy = response.headers.get("content-security-policy") ?? "";
  for (const tag of ["script", "style"]) {
    const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)?.[1] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    assert(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
  }
  assertMatch(policy, /^default-src 'none';.*frame-ancestors 'none'$/);
  // Nothing but itself: the other spans and the exports.
  assert(!/(?:src|href)="(?!data:,"|\?span=|history\.(?:csv|json)")/.test(page));
  assert(!/ style="| on\w+="/.test(page.replace(/&lt;.*?&gt;/g, "")));
});

Deno.test("the dashboard shows a hundred of many sessions and counts the others", async () => {
  const sessions = Array.from({ length: 250 }, (_, n) => ({ ...SESSION, user: `user${n}` }));
  await using server = await start({ sessions: () => sessions });
  const page = await (await get(server, "/")).text();
  assertEquals(page.match(/<td>user\d+<\/td>/g)?.length, 100);
  assert(page.includes("user249") && page.includes("… and 150 older ones"));
});

Deno.test("a dashboard on loopback is not shown under a foreign name", async () => {
  await using server = await start();
  for (
    const [host, status] of [
      ["localhost:9", 200],
      ["[::1]", 200],
      ["MAIL.example.org", 200],
      ["evil.example", 421],
      ["127.0.0.1.evil.example", 421],
      ["a b", 421],
    ] as const
  ) {
    const answer = await raw(
      server,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assertEquals(answer.slice(9, 12), String(status), host);
  }
  const metrics = await raw(
    server,
    "GET /metrics HTTP/1.1\r\nHost: prometheus.example\r\nConnection: close\r\n\r\n",
  );
  assertEquals(metrics.slice(9, 12), "200");
});

Deno.test("what fails while it is drawn is answered with 500, and the server goes on", async () => {
  let broken = true;
  await using server = await start({
    metrics: () => {
      if (broken) throw new Error("secret detail");
      return "";
    },
  });
  const response = await get(server, "/metrics");
  assertEquals([response.status, await response.text()], [500, "The server failed to answer.\n"]);
  broken = false;
  assertEquals((await get(server, "/metrics")).status, 200);
});

Deno.test("slow, silent, greedy and broken clients are dropped while others are served", async () => {
  await using server = await startHttp(watch(), {
    listen: "127.0.0.1:0",
    maxConnections: 40,
    patience: 400,
  });
  const open = (text: string): Promise<Deno.TcpConn> =>
    Deno.connect({ hostname: "127.0.0.1", port: server.port }).then(async (socket) => {
      await socket.write(new TextEncoder().encode(text)).catch(() => {});
      return socket;
    });
  const hostile = await Promise.all([
    ...Array.from({ length: 10 }, () => open("")),
    ...Array.from({ length: 10 }, () => open("GET / HTTP/1.1\r\nHost: loc")),
    ...Array.from(
      { length: 5 },
      () => open("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(300)),
    ),
    ...Array.from({ length: 5 }, () => open(`GET / HTTP/1.1\r\nX: ${"a".repeat(100_000)}`)),
    ...Array.from({ length: 5 }, () => open("\x16\x03\x01\x02\x00\x01\xff\0\0\0\r\n\r\n")),
    ...Array.from(
      { length: 3 },
      () => open("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nx"),
    ),
  ]);
  const health = await get(server, "/healthz");
  assertEquals(await health.text(), "ok\n");
  const buffer = new Uint8Array(65_536);
  for (const socket of hostile) {
    // Ends when the server has closed it.
    while (await socket.read(buffer).catch(() => null) !== null);
    socket.close();
  }
  assertEquals(await (await get(server, "/healthz")).text(), "ok\n");
});

Deno.test("the oldest of too many connections is closed, and the newest is served", async () => {
  await using server = await startHttp(watch(), { listen: "127.0.0.1:0", maxConnections: 3 });
  const open = (): Promise<Deno.TcpConn> =>
    Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const held = [await open(), await open(), await open(), await open(), await open()];
  assertEquals(await (await get(server, "/healthz")).text(), "ok\n");
  for (const socket of held.slice(0, 3)) {
    assertEquals(await socket.read(new Uint8Array(1)).catch(() => null), null);
  }
  for (const socket of held) socket.close();
});

Deno.test("one connection gets one answer, however many requests it sends", async () => {
  await using server = await start();
  const answers = await raw(server, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50));
  assertEquals(answers.match(/HTTP\/1\.1/g)?.length, 1);
});

Deno.test("requests that are none, too large, or doubtful are refused", async () => {
  await using server = await start();
  for (
    const [request, status] of [
      ["\x16\x03\x01\r\n\r\n", "400"],
      ["GET /\r\n\r\n", "400"],
      ["GET / HTTP/2.0\r\n\r\n", "400"],
      ["GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", "400"],
      [`GET /healthz HTTP/1.1\r\nX: ${"a".repeat(9000)}\r\n\r\n`, "431"],
      ["GET /healthz HTTP/1.0\n\n", "200"],
      ["GET http://other/healthz HTTP/1.1\r\nHost: other\r\n\r\n", "200"],
      ["GET //readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"],
      ["GET //[ HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"],
      ["GET / HTTP/1.0\r\n\r\n", "421"],
    ] as const
  ) {
    assertEquals((await raw(server, request)).slice(9, 12), status, request.slice(0, 60));
  }
});

Deno.test("a server that ends does not wait for a client that holds a connection", async () => {
  const server = await start();
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await socket.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  await server[Symbol.asyncDispose]();
  assertEquals(await socket.read(new Uint8Array(1)).catch(() => null), null);
});

Deno.test("an address to listen on is read, and refused with a sentence", async () => {
  assertEquals(parseListen("127.0.0.1:9110"), { hostname: "127.0.0.1", port: 9110 });
  assertEquals(parseListen("[::1]:0"), { hostname: "::1", port: 0 });
  for (const bad of ["", "9110", ":9110", "a:", "a:70000", "::1:9110", "a b:1", "a:1x"]) {
    assertThrows(() => parseListen(bad), SyntaxError, "expected ADDR:PORT");
  }
  await using server = await start();
  await assertRejects(
    () => startHttp(watch(), { listen: `127.0.0.1:${server.port}` }),
    Error,
    "the port is in use",
  );
  // RFC 5737: nobody's address.
  await assertRejects(
    () => startHttp(watch(), { listen: "203.0.113.9:0" }),
    Error,
    "this machine does not have the address",
  );
});
