import { assert, assertEquals, assertThrows } from "@std/assert";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { type BearerTokenOptions, BearerTokens } from "../../lib/auth/bearer_tokens.ts";
import { TestClock } from "../support/test_clock.ts";

const good = await generateKeyPair("ES256", { extractable: true });
const stranger = await generateKeyPair("ES256", { extractable: true });
const publicKey = { ...await exportJWK(good.publicKey), kid: "one", alg: "ES256" };
const keySet = JSON.stringify({ keys: [publicKey] });
const NOW = Date.UTC(2026, 10, 20);

interface Claims {
  readonly claims?: Record<string, unknown>;
  readonly issuer?: string;
  readonly audience?: string;
  readonly key?: CryptoKey;
  readonly expires?: number | undefined;
}

function token(options: Claims = {}): Promise<string> {
  const { claims = { email: "tim@example.org" }, key = good.privateKey } = options;
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "one" })
    .setIssuer(options.issuer ?? "https://id.example.org")
    .setAudience(options.audience ?? "pop3")
    .setIssuedAt(NOW / 1000 - 60);
  if (!("expires" in options)) jwt.setExpirationTime(NOW / 1000 + 600);
  else if (options.expires !== undefined) jwt.setExpirationTime(NOW / 1000 + options.expires);
  return jwt.sign(key);
}

async function withKeys(
  test: (verifier: BearerTokens, path: string, clock: TestClock) => Promise<void>,
  options: Partial<BearerTokenOptions> = {},
): Promise<void> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, keySet);
  const clock = new TestClock(NOW);
  const verifier = new BearerTokens({
    issuer: "https://id.example.org",
    audience: "pop3",
    jwks: path,
    userClaim: "email",
    clock,
    ...options,
  });
  try {
    await test(verifier, path, clock);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("bearer token of the issuer names its user", () =>
  withKeys(async (verifier) => {
    const valid = { kind: "valid", user: "tim@example.org" };
    assertEquals(await verifier.verify(await token(), undefined), valid);
    assertEquals(await verifier.verify(await token(), "tim@example.org"), valid);
    const { kind } = await verifier.verify(await token(), "tom@example.org");
    assertEquals(kind, "invalid");
  }));

Deno.test("bearer token's user and the client's may be said with the default domain and without", async () => {
  const canonical = (name: string): string => name.includes("@") ? name : `${name}@example.org`;
  await withKeys(async (verifier) => {
    const short = await token({ claims: { email: "tim" } });
    const whole = await token();
    for (const [one, claimed] of [[short, "tim@example.org"], [whole, "tim"]] as const) {
      assertEquals((await verifier.verify(one, claimed)).kind, "valid", claimed);
      assertEquals((await verifier.verify(one, "tim@other.org")).kind, "invalid");
    }
  }, { canonical });
});

Deno.test("bearer token is refused when anything about it is wrong", () =>
  withKeys(async (verifier) => {
    const none = `${btoa('{"alg":"none"}').replaceAll("=", "")}.${(await token()).split(".")[1]}.`;
    const shared = await new SignJWT({ email: "tim@example.org" })
      .setProtectedHeader({ alg: "HS256", kid: "one" }).setIssuer("https://id.example.org")
      .setAudience("pop3").setExpirationTime(NOW / 1000 + 600)
      .sign(new TextEncoder().encode(JSON.stringify(publicKey)));
    const cases: [string, string][] = [
      ["issuer", await token({ issuer: "https://other.example.org" })],
      ["audience", await token({ audience: "imap" })],
      ["key", await token({ key: stranger.privateKey })],
      ["expired", await token({ expires: -60 })],
      ["without an end", await token({ expires: undefined })],
      ["claim absent", await token({ claims: { sub: "tim" } })],
      ["claim no text", await token({ claims: { email: ["tim@example.org"] } })],
      [
        "not verified",
        await token({ claims: { email: "tim@example.org", email_verified: false } }),
      ],
      [
        "not verified, as text",
        await token({ claims: { email: "tim@example.org", email_verified: "false" } }),
      ],
      ["not yet", await token({ claims: { email: "a", nbf: NOW / 1000 + 120 } })],
      ["alg none", none],
      ["shared secret", shared],
      ["no token", "abc"],
      ["long", "a".repeat(10_000)],
      ["changed", (await token()).replace(/.(?=\.[^.]*$)/, (c) => c === "A" ? "B" : "A")],
    ];
    for (const [name, one] of cases) {
      const verdict = await verifier.verify(one, undefined);
      assertEquals(verdict.kind, "invalid", `${name}: ${JSON.stringify(verdict)}`);
      assert(verdict.kind === "invalid" && !verdict.why.includes(one));
    }
    assertEquals((await verifier.verify(await token({ expires: -20 }), undefined)).kind, "valid");
  }));

Deno.test("bearer keys in a file are read again, and the old ones stay while it is broken", () =>
  withKeys(async (verifier, path, clock) => {
    const [old, fresh] = [await token(), await token({ key: stranger.privateKey })];
    assertEquals((await verifier.verify(fresh, undefined)).kind, "invalid");
    await Deno.writeTextFile(path, "{");
    clock.advance(31_000);
    assertEquals((await verifier.verify(old, undefined)).kind, "valid");
    const next = { ...await exportJWK(stranger.publicKey), kid: "one", alg: "ES256" };
    await Deno.writeTextFile(path, JSON.stringify({ keys: [next] }));
    clock.advance(31_000);
    assertEquals((await verifier.verify(fresh, undefined)).kind, "valid");
    assertEquals((await verifier.verify(old, undefined)).kind, "invalid");
  }));

Deno.test("bearer keys come from a URL, once for many tokens", async () => {
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked++;
    return new Response(keySet, { headers: { "content-type": "application/json" } });
  });
  await withKeys(async (verifier) => {
    for (let i = 0; i < 5; i++) {
      assertEquals((await verifier.verify(await token(), undefined)).kind, "valid");
    }
  }, { jwks: `http://127.0.0.1:${server.addr.port}/keys` });
  assertEquals(asked, 1);
  await server.shutdown();
});

Deno.test("bearer keys that cannot be had are not the token's fault", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/bad" ? new Response("no keys") : new Response("gone", { status: 500 });
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const silent = (listener.addr as Deno.NetAddr).port;
  const places = [
    `http://127.0.0.1:${server.addr.port}/bad`,
    `http://127.0.0.1:${server.addr.port}/gone`,
    `http://127.0.0.1:${silent}/never`,
    "/nonexistent/keys.json",
  ];
  for (const jwks of places) {
    await withKeys(async (verifier) => {
      const verdict = await verifier.verify(await token(), undefined);
      assertEquals(verdict.kind, "unavailable", `${jwks}: ${JSON.stringify(verdict)}`);
    }, { jwks, fetchTimeout: 100 });
  }
  listener.close();
  await server.shutdown();
});

Deno.test("bearer keys are not fetched in clear from another machine", () => {
  const options = { issuer: "i", audience: "a", userClaim: "email" };
  assertThrows(
    () => new BearerTokens({ ...options, jwks: "http://id.example.org/keys" }),
    TypeError,
    "use https",
  );
});
