// Bearer tokens over OAUTHBEARER and XOAUTH2 (RFC 7628): only the issuer's, only under TLS, only for users who exist.
import { assert, assertEquals } from "@std/assert";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { base64, startStage } from "./stage.ts";

const ISSUER = "https://issuer.example.org";
const AUDIENCE = "postern";
const REFUSED = "-ERR [AUTH] Authentication failed";

interface Claims {
  readonly issuer?: string;
  readonly audience?: string;
  readonly email?: string;
  readonly expires?: string;
}

/** Says the token by both mechanisms; a refusal is a challenge, which the client answers before it is told. */
async function answers(
  connect: () => Promise<Pop3Client>,
  token: string,
  farewell = base64("\x01"),
): Promise<string[]> {
  const said: string[] = [];
  for (
    const response of [
      `AUTH OAUTHBEARER ${base64(`n,,\x01auth=Bearer ${token}\x01\x01`)}`,
      `AUTH XOAUTH2 ${base64(`user=alice\x01auth=Bearer ${token}\x01\x01`)}`,
    ]
  ) {
    using client = await connect();
    await client.line();
    // A token does not fit a command line, and is sent behind an empty challenge then.
    const [command = "", mechanism = "", initial = ""] = response.split(" ");
    assertEquals(await client.command(`${command} ${mechanism}`), "+ ");
    let answer = await client.command(initial);
    if (!answer.startsWith("+OK")) {
      assert(answer.startsWith("+ ") && atob(answer.slice(2)).startsWith('{"status":'), answer);
      answer = await client.command(farewell);
    }
    said.push(answer);
    if (answer.startsWith("+OK")) {
      await client.ok("QUIT");
      await client.ended();
    }
  }
  return said;
}

Deno.test("bearer: only a token that the issuer signed for this server and a user of ours logs in", async (t) => {
  await using folder = await temporaryFolder();
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const stranger = await generateKeyPair("RS256");
  const jwks = join(folder.path, "jwks.json");
  const key = { ...await exportJWK(publicKey), kid: "1", alg: "RS256", use: "sig" };
  await Deno.writeTextFile(jwks, JSON.stringify({ keys: [key] }));
  await using stage = await startStage({
    flags: [
      ...["--oauth-issuer", ISSUER, "--oauth-audience", AUDIENCE, "--oauth-jwks", jwks],
      ...["--max-sessions-per-user", "4"],
    ],
  });
  const claimed = (claims: Claims, alg = "RS256"): SignJWT =>
    new SignJWT({ email: claims.email ?? "alice" })
      .setProtectedHeader({ alg, kid: "1" })
      .setIssuer(claims.issuer ?? ISSUER)
      .setAudience(claims.audience ?? AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(claims.expires ?? "5m");
  const secure = () => stage.connectTls();
  const good = await claimed({}).sign(privateKey);

  await t.step("a good one, by both mechanisms", async () => {
    for (const answer of await answers(secure, good)) assert(answer.startsWith("+OK 3 "), answer);
  });
  const [head = "", body = ""] = good.split(".");
  const none = btoa('{"alg":"none","kid":"1"}').replaceAll("=", "");
  const wrong: Readonly<Record<string, string>> = {
    "another's signature": await claimed({}).sign(stranger.privateKey),
    "no signature": `${none}.${body}.`,
    "a signature cut off": `${head}.${body}.`,
    "the public key as a shared secret": await claimed({}, "HS256")
      .sign(new TextEncoder().encode(await exportSPKI(publicKey))),
    "another issuer": await claimed({ issuer: "https://evil.example.org" }).sign(privateKey),
    "another audience": await claimed({ audience: "webmail" }).sign(privateKey),
    "a time that is over": await claimed({ expires: "-5m" }).sign(privateKey),
    "a user whom nobody knows": await claimed({ email: "nobody" }).sign(privateKey),
    "a name that reaches out": await claimed({ email: "../mail/alice" }).sign(privateKey),
  };
  for (const [what, token] of Object.entries(wrong)) {
    await t.step(`${what} is refused`, async () => {
      assertEquals(await answers(secure, token), [REFUSED, REFUSED]);
    });
  }
  await t.step("whatever the client answers to the reason, it is refused", async () => {
    const token = wrong["another audience"] ?? "";
    for (const farewell of ["", "*", "!", "A".repeat(13_000)]) {
      assertEquals(await answers(secure, token, farewell), [REFUSED, REFUSED], farewell);
    }
  });
  await t.step("in clear they are neither offered nor taken", async () => {
    using client = await stage.connect();
    await client.line();
    await client.ok("CAPA");
    const sasl = (await client.list()).find((line) => line.startsWith("SASL "));
    assert(sasl !== undefined && !/BEARER|XOAUTH/.test(sasl), sasl);
    assert((await client.command("AUTH OAUTHBEARER")).startsWith("-ERR "));
  });
});
