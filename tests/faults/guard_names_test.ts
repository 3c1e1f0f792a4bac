/**
 * The guard counted failures under names that were none: refused tokens without a name shut out all tokens without a name, and
 * `admin:root`, guessed at the POP3 port, shut out the administrator. UNBAN did not know a user without the default domain.
 */

import { assert, assertEquals } from "@std/assert";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { join } from "node:path";
import { base64, pour, type Stage, startStage } from "../attacks/stage.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";

const REFUSED = "-ERR [AUTH] Authentication failed";
const PROXIED = ["--proxy-protocol", "127.0.0.1/32"];

/** A client whose address a trusted proxy tells. */
async function from(stage: Stage, address: string): Promise<Pop3Client> {
  const client = await Pop3Client.connect({ port: stage.program.port() });
  await client.send(`PROXY TCP4 ${address} 127.0.0.1 4000 110\r\n`);
  await client.line();
  return client;
}

/** Guesses at a name a hundred times, twice from each of fifty addresses. */
async function guess(stage: Stage, name: string): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    using client = await from(stage, `203.0.113.${turn % 50}`);
    await client.ok(`USER ${name}`);
    assertEquals(await client.command(`PASS guess ${turn}`), REFUSED);
  }
}

async function management(stage: Stage): Promise<Pop3Client> {
  const client = await Pop3Client.connect({ port: stage.program.port("msmp") });
  await client.line();
  await client.ok("USER root");
  await client.ok("PASS toor");
  await client.ok("MSMP 2");
  return client;
}

Deno.test("tokens that say no name are not one user to the guard", async () => {
  await using folder = await temporaryFolder();
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwks = join(folder.path, "jwks.json");
  await Deno.writeTextFile(jwks, JSON.stringify({ keys: [await exportJWK(publicKey)] }));
  await using stage = await startStage({
    flags: [
      ...PROXIED,
      ...["--oauth-issuer", "https://issuer.example.org", "--oauth-audience", "postern"],
      ...["--oauth-jwks", jwks],
    ],
  });
  const say = async (address: string, token: string): Promise<string> => {
    const conn = await stage.raw("pop3s");
    await pour(conn, `PROXY TCP4 ${address} 127.0.0.1 4000 995\r\n`);
    using client = await stage.secured(conn);
    await client.line();
    assertEquals(await client.command("AUTH OAUTHBEARER"), "+ ");
    const answer = await client.command(base64(`n,,\x01auth=Bearer ${token}\x01\x01`));
    return answer.startsWith("+ ") ? await client.command("AQ==") : answer;
  };
  for (let turn = 0; turn < 100; turn++) {
    assertEquals(await say(`203.0.113.${turn % 50}`, `token.${turn}`), REFUSED);
  }
  const good = await new SignJWT({ email: "alice" }).setProtectedHeader({ alg: "ES256" })
    .setIssuer("https://issuer.example.org").setAudience("postern").setExpirationTime("5m")
    .sign(privateKey);
  const answer = await say("198.51.100.7", good);
  assert(answer.startsWith("+OK "), answer);
});

Deno.test("an administrator's name cannot be guessed at by POP3, however it is written", async () => {
  await using stage = await startStage({ flags: [...PROXIED, "--admin", "root:toor"] });
  for (const name of ["admin:root", "admin/root"]) await guess(stage, name);
  using client = await management(stage);
  await client.ok("BANS");
  assertEquals(
    (await client.list()).map((ban) => ban.split(" ").slice(0, 2).join(" ")),
    ["admin:root user"],
  );
});

Deno.test("a banned user of the default domain is let in by the short name, too", async () => {
  await using stage = await startStage({
    flags: [...PROXIED, "--default-domain", "example.org", "--admin", "root:toor"],
  });
  await guess(stage, "carol");
  using client = await management(stage);
  await client.ok("UNBAN carol");
  await client.ok("BANS");
  assertEquals(await client.list(), []);
});
