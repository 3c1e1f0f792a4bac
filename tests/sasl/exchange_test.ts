import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import fc from "fast-check";
import { beginExchange, type ExchangeState } from "../../lib/sasl/exchange.ts";
import type { ExchangeContext, Mechanism } from "../../lib/sasl/mechanism.ts";
import { findMechanism, mechanisms, offeredMechanisms } from "../../lib/sasl/mechanisms.ts";
import type { LoginOutcome } from "../../lib/contracts/login_service.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);
const b64 = (value: string): string => bytes(value).toBase64();
const named = (name: string): Mechanism => {
  const found = mechanisms.find((mechanism) => mechanism.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
/** RFC 7677, section 3. */
const SALT = Uint8Array.fromBase64("W22ZaJ0SNY7soEsUEjb6gQ==");
const context: ExchangeContext = {
  scramParameters: () => Promise.resolve({ salt: SALT, iterations: 4096 }),
};
const granted = (serverSignature?: Uint8Array): LoginOutcome => ({
  kind: "granted",
  user: "user",
  lease: {
    onLost: () => {},
    claim: () => Promise.resolve(Infinity),
    release: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  },
  ...(serverSignature ? { serverSignature } : {}),
});
const refused: LoginOutcome = { kind: "refused", reason: "credentials" };

/** Plays client lines and tells how it stands then. */
async function play(
  name: string,
  initial: string | undefined,
  lines: string[] = [],
  by: ExchangeContext = context,
): Promise<ExchangeState> {
  let state = await beginExchange(named(name), initial, by);
  for (const line of lines) {
    if (state.kind !== "challenge") throw new Error(`${name} asks no more at ${line}`);
    state = await state.answer(bytes(line));
  }
  return state;
}

/** The state as one of this kind, or an error. */
function as<K extends ExchangeState["kind"]>(
  kind: K,
  state: ExchangeState,
): Extract<ExchangeState, { kind: K }> {
  if (state.kind !== kind) throw new Error(`${kind} was expected, not ${JSON.stringify(state)}`);
  return state as Extract<ExchangeState, { kind: K }>;
}

function credentials(state: ExchangeState): Record<string, unknown> {
  if (state.kind !== "credentials") throw new Error(`${state.kind}: ${JSON.stringify(state)}`);
  return { ...state.credentials };
}

Deno.test("PLAIN takes name and password, with and without an initial response", async () => {
  const expected = {
    kind: "password",
    mechanism: "PLAIN",
    user: "tim",
    password: "tan staa ftaan",
  };
  const message = b64("\0tim\0tan staa ftaan");
  assertEquals(credentials(await play("PLAIN", message)), expected);
  assertEquals(credentials(await play("PLAIN", undefined, [message])), expected);
  assertEquals(credentials(await play("PLAIN", b64("tim\0tim\0tan staa ftaan"))), expected);
  const state = await play("PLAIN", undefined);
  assert(state.kind === "challenge" && state.data.length === 0);
  assertEquals(credentials(await play("PLAIN", b64("\0ü\0ß")))["user"], "ü");
});

Deno.test("PLAIN refuses what is not its message", async () => {
  const wrong = ["", "tim", "\0tim", "\0tim\0", "\0\0pass", "a\0b\0c\0d", "other\0tim\0pass"];
  for (const message of wrong) {
    const state = await play("PLAIN", undefined, [b64(message)]);
    assertEquals(state.kind, "failed", JSON.stringify(message));
  }
  const invalid = new Uint8Array([0, 0xc3, 0x28, 0, 0x61]).toBase64();
  assertEquals((await play("PLAIN", invalid)).kind, "failed");
});

Deno.test("LOGIN asks for name and password, or takes the name at once", async () => {
  const expected = { kind: "password", mechanism: "LOGIN", user: "tim", password: " pass word " };
  const first = as("challenge", await play("LOGIN", undefined));
  assertEquals(text(first.data), "Username:");
  const second = as("challenge", await first.answer(bytes(b64("tim"))));
  assertEquals(text(second.data), "Password:");
  assertEquals(credentials(await second.answer(bytes(b64(" pass word ")))), expected);
  assertEquals(credentials(await play("LOGIN", b64("tim"), [b64(" pass word ")])), expected);
  assertEquals((await play("LOGIN", "=")).kind, "challenge");
  assertEquals((await play("LOGIN", undefined, [""])).kind, "failed");
  assertEquals((await play("LOGIN", b64("tim"), [""])).kind, "failed");
});

Deno.test("exchange ends with a star, bad base64 or too much, and only then", async () => {
  for (const { name } of mechanisms) {
    const cancelled = await play(name, undefined, ["*"]);
    assert(cancelled.kind === "failed" && cancelled.reason === "cancelled", name);
    for (const line of ["a", "====", "YQ", "YQ==YQ==", "Y Q=", "**", "\xff", "YR=="]) {
      const state = as("failed", await play(name, undefined, [line]));
      assertEquals(state.reason, "malformed", `${name} ${line}`);
      assert(
        line.length < 5 || !state.why.includes(line),
        "what the client sent must not come back",
      );
      assertEquals((await play(name, line)).kind, "failed", `${name} ${line}`);
    }
    assertEquals((await play(name, "")).kind, "failed");
    const asked = as("challenge", await play(name, undefined));
    assertEquals(
      as("failed", await asked.answer("too-long")).why,
      "Malformed authentication: its response is too long",
    );
  }
});

Deno.test("exchange takes = as an empty initial response", async () => {
  assertEquals((await play("PLAIN", "=")).kind, "failed");
  assertEquals((await play("SCRAM-SHA-256", "=")).kind, "failed");
});

/** The server's nonce is what RFC 7677 has, which is no base64 of 18 octets; the test then goes its own way. */
const client = {
  first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
  nonce: "rOprNGfwEbeRWgbNEkqO",
};

interface Script {
  readonly first?: string;
  readonly binding?: string;
  readonly nonce?: (nonce: string) => string;
  readonly end?: string;
  readonly proof?: string;
}

/** A SCRAM client that can be made to lie. */
async function scram(script: Script = {}): Promise<ExchangeState> {
  const first = script.first ?? client.first;
  const state = await play("SCRAM-SHA-256", b64(first));
  if (state.kind !== "challenge") return state;
  const serverFirst = text(state.data);
  const [, nonce = ""] = /^r=([^,]+),s=[^,]+,i=4096$/.exec(serverFirst) ?? [];
  const bare = first.slice(first.indexOf("n=", 2));
  const binding = script.binding ?? b64(first.slice(0, first.length - bare.length));
  const unproved = `c=${binding},r=${(script.nonce ?? ((n) => n))(nonce)}`;
  const salted = pbkdf2Sync("pencil", SALT, 4096, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const stored = createHash("sha256").update(clientKey).digest();
  const signature = createHmac("sha256", stored).update(`${bare},${serverFirst},${unproved}`)
    .digest();
  const proof = new Uint8Array(clientKey.map((octet, i) => octet ^ (signature[i] ?? 0))).toBase64();
  return await state.answer(
    bytes(b64(`${unproved},p=${script.proof ?? proof}${script.end ?? ""}`)),
  );
}

Deno.test("SCRAM-SHA-256 makes RFC 7677's message from RFC 7677's values", async () => {
  // The nonce of the example, taken apart: what the server adds is %hvYDpWUa2RaTCAfuxFIlj)hNlF$k0 there. Ours is
  // base64, so that the example is played through the state machine with the server's part put in its place.
  const begun = as(
    "challenge",
    await play("SCRAM-SHA-256", b64(client.first), [], {
      ...context,
      random: (into) => into.set(Uint8Array.fromBase64("AAECAwQFBgcICQoLDA0ODxAR")),
    }),
  );
  assertEquals(
    text(begun.data),
    `r=${client.nonce}AAECAwQFBgcICQoLDA0ODxAR,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
  );
  const proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  const unproved = `c=biws,r=${client.nonce}AAECAwQFBgcICQoLDA0ODxAR`;
  const found = credentials(await begun.answer(bytes(b64(`${unproved},p=${proof}`))));
  assertEquals(found["user"], "user");
  assertEquals(found["proof"], Uint8Array.fromBase64(proof));
  // The same three parts as in the RFC, whose signature must come out when its nonce stands in the place of ours.
  const authMessage = String(found["authMessage"]).replaceAll(
    "AAECAwQFBgcICQoLDA0ODxAR",
    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".replaceAll("$", "$$$$"),
  );
  const salted = pbkdf2Sync("pencil", SALT, 4096, 32, "sha256");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest();
  assertEquals(
    createHmac("sha256", serverKey).update(authMessage).digest("base64"),
    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  );
});

Deno.test("SCRAM-SHA-256 comes to credentials with what the client said", async () => {
  assertEquals(credentials(await scram())["user"], "user");
  assertEquals(credentials(await scram({ first: "y,,n=a=2Cb=3Dc,r=abc" }))["user"], "a,b=c");
  assertEquals(credentials(await scram({ first: "n,a=tim,n=tim,r=abc" }))["user"], "tim");
  assertEquals(credentials(await scram({ first: "n,,n=tim,r=abc,x=later" }))["user"], "tim");
});

Deno.test("SCRAM-SHA-256 uses a nonce once", async () => {
  const nonces = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const state = as("challenge", await play("SCRAM-SHA-256", b64(client.first)));
    nonces.add(text(state.data));
  }
  assertEquals(nonces.size, 100);
  // What fitted one exchange fits no other.
  const one = as("challenge", await play("SCRAM-SHA-256", b64(client.first)));
  const two = as("challenge", await play("SCRAM-SHA-256", b64(client.first)));
  const [, nonce = ""] = /^r=([^,]+)/.exec(text(one.data)) ?? [];
  const final = b64(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`);
  assertEquals((await one.answer(bytes(final))).kind, "credentials");
  assertEquals((await two.answer(bytes(final))).kind, "failed");
});

Deno.test("SCRAM-SHA-256 refuses lies, wishes for channel binding and what is malformed", async () => {
  const scripts: Script[] = [
    { first: "p=tls-unique,,n=user,r=abc" },
    { first: "n,,m=ext,n=user,r=abc" },
    { first: "n,,n=user,r=abc,m=ext" },
    { first: "n,,n=user,r=abc,x=later,m=ext" },
    { nonce: (nonce) => `${nonce},m=ext` },
    { first: "n,a=other,n=user,r=abc" },
    { first: "n,,n=us=er,r=abc" },
    { first: "n,,n=us=2cer,r=abc" },
    { first: "n,,n=,r=abc" },
    { first: "n,,n=user,r=" },
    { first: "n,,n=user" },
    { first: "n=user,r=abc" },
    { first: "n,,n=us\0er,r=abc" },
    { first: "n,,n=user,r=ab c" },
    { binding: b64("y,,") },
    { binding: b64("n,a=user,") },
    { nonce: (nonce) => nonce.slice(0, -1) },
    { nonce: (nonce) => nonce + "A" },
    { nonce: () => client.nonce },
    { proof: "AAAA" },
    { proof: "" },
    { proof: "!" },
    { end: ",x=y" },
  ];
  for (const script of scripts) {
    const state = await scram(script);
    assert(state.kind === "failed" && state.reason === "malformed", JSON.stringify(script));
  }
});

Deno.test("SCRAM-SHA-256 ends with the server's proof, which the client must take", async () => {
  const state = as("credentials", await scram());
  assertEquals(state.closing(refused), undefined);
  const closing = state.closing(granted(bytes("s".repeat(32))));
  if (closing === undefined) throw new Error("a last challenge was expected");
  assertEquals(text(closing.data), `v=${b64("s".repeat(32))}`);
  assertEquals(closing.answer(bytes("")), undefined);
  assertEquals(closing.answer(bytes("*"))?.reason, "cancelled");
  assertEquals(closing.answer(bytes(b64("x")))?.reason, "malformed");
});

Deno.test("OAUTHBEARER finds name and token (RFC 7628, section 4.1)", async () => {
  const message = "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01" +
    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
  assertEquals(credentials(await play("OAUTHBEARER", b64(message))), {
    kind: "bearer",
    mechanism: "OAUTHBEARER",
    user: "user@example.com",
    token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
  });
  const nameless = credentials(await play("OAUTHBEARER", b64("n,,\x01auth=bearer a.b.c\x01\x01")));
  assertEquals([nameless["user"], nameless["token"]], [undefined, "a.b.c"]);
});

Deno.test("XOAUTH2 finds name and token", async () => {
  const message = "user=some@example.com\x01auth=Bearer ya29.vF9dft4\x01\x01";
  for (
    const state of [
      await play("XOAUTH2", b64(message)),
      await play("XOAUTH2", undefined, [b64(message)]),
    ]
  ) {
    assertEquals(credentials(state), {
      kind: "bearer",
      mechanism: "XOAUTH2",
      user: "some@example.com",
      token: "ya29.vF9dft4",
    });
  }
});

Deno.test("bearer mechanisms tell a refusal as a challenge, whatever the client then says", async () => {
  const messages = [
    ["OAUTHBEARER", "n,,\x01auth=Bearer abc\x01\x01"],
    ["XOAUTH2", "user=u\x01auth=Bearer abc\x01\x01"],
  ];
  for (const [name = "", message = ""] of messages) {
    const state = as("credentials", await play(name, b64(message)));
    assertEquals(state.closing(granted()), undefined);
    const closing = state.closing(refused);
    if (closing === undefined) throw new Error("a last challenge was expected");
    assert(typeof JSON.parse(text(closing.data)).status === "string");
    for (const line of ["", "AQ=="]) assertEquals(closing.answer(bytes(line)), undefined);
  }
});

Deno.test("bearer mechanisms refuse what is not their message", async () => {
  const wrong = [
    ["OAUTHBEARER", "n,,\x01\x01"],
    ["OAUTHBEARER", "n,,\x01auth=Basic abc\x01\x01"],
    ["OAUTHBEARER", "n,,\x01auth=Bearer a b\x01\x01"],
    ["OAUTHBEARER", "n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01"],
    ["OAUTHBEARER", "n,,\x01auth=Bearer a\x01"],
    ["OAUTHBEARER", "p=x,,\x01auth=Bearer a\x01\x01"],
    ["OAUTHBEARER", "n,a==,\x01auth=Bearer a\x01\x01"],
    ["OAUTHBEARER", "auth=Bearer a\x01\x01"],
    ["XOAUTH2", "auth=Bearer a\x01\x01"],
    ["XOAUTH2", "user=\x01auth=Bearer a\x01\x01"],
    ["XOAUTH2", "user=a\x01\x01"],
  ];
  for (const [name = "", message = ""] of wrong) {
    assertEquals(
      (await play(name, b64(message))).kind,
      "failed",
      `${name} ${JSON.stringify(message)}`,
    );
  }
});

Deno.test("mechanisms are offered only where they can succeed, strongest first", () => {
  const all = {
    secure: true,
    clearAllowed: true,
    plainInClear: true,
    scramForAll: true,
    bearer: true,
  };
  const names = (...without: (keyof typeof all)[]): string => {
    const facts = { ...all, ...Object.fromEntries(without.map((fact) => [fact, false])) };
    return offeredMechanisms(facts).map(({ name }) => name).join(" ");
  };
  assertEquals(
    names("clearAllowed", "plainInClear"),
    "SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN",
  );
  assertEquals(names("scramForAll", "bearer"), "PLAIN LOGIN");
  assertEquals(names("secure"), "SCRAM-SHA-256 PLAIN LOGIN");
  assertEquals(names("secure", "plainInClear"), "SCRAM-SHA-256");
  assertEquals(names("secure", "plainInClear", "clearAllowed"), "");
  const facts = { ...all, scramForAll: false, bearer: false };
  assertEquals(findMechanism("plain", facts)?.name, "PLAIN");
  assertEquals(findMechanism("SCRAM-SHA-256", facts), undefined);
  assertEquals(findMechanism("", facts), undefined);
  assertNotEquals(findMechanism("lOgIn", facts), undefined);
});

Deno.test("mechanisms come through any octets without an exception", async () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "n,,",
      "n=",
      "r=",
      "c=biws",
      ",",
      "\0",
      "\x01",
      "auth=Bearer ",
      "user=",
      "p=",
      "=",
    ),
  );
  const response = fc.oneof(
    fc.uint8Array(),
    fc.array(piece, { maxLength: 8 }).map((pieces) => bytes(pieces.join(""))),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...mechanisms),
      fc.array(response, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (mechanism, responses, early) => {
        let [first, ...rest]: (Uint8Array | undefined)[] = responses;
        if (!early) [first, rest] = [undefined, responses];
        let step = await mechanism.start(first, context);
        for (const answer of rest) {
          if (step.kind !== "challenge" || answer === undefined) break;
          step = await step.next(answer);
        }
        assert(["challenge", "credentials", "malformed"].includes(step.kind));
      },
    ),
    { numRuns: 500 },
  );
});
