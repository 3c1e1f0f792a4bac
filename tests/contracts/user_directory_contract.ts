/** What every user directory must do; run on each implementation. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Credentials } from "../../lib/contracts/login_service.ts";
import type { UserDirectory } from "../../lib/contracts/user_directory.ts";
import { scramClient } from "./scram_client.ts";

/**
 * Makes a directory with the users `ann` (password `tanstaaf`), `bob` (password `a b:c`) and `üml` (password `pässword`).
 * Its bearer verifier takes the token `good for NAME` for NAME.
 */
export type MakeUserDirectory = () => Promise<UserDirectory & AsyncDisposable>;

/** Which users of the contract the implementation cannot have. */
export interface UserDirectoryTraits {
  /** A passwd-file's passwords hold no colon. */
  readonly colons?: boolean;
  /** Passwords stand in clear, so that APOP works. */
  readonly clear: boolean;
}

/** Credentials of USER and PASS. */
export function password(user: string, password: string): Credentials {
  return { kind: "password", mechanism: "USER", user, password };
}

/** Goes through a SCRAM exchange; returns whether it was granted, with a right server signature. */
export async function scram(
  directory: UserDirectory,
  user: string,
  password: string,
): Promise<boolean> {
  const authMessage = `n=${user},r=abc,r=abcdef,s=…,i=4096,c=biws,r=abcdef`;
  const client = scramClient(password, await directory.scramParameters(user), authMessage);
  const { proof } = client;
  const credentials = {
    kind: "scram",
    mechanism: "SCRAM-SHA-256",
    user,
    authMessage,
    proof,
  } as const;
  const verified = await directory.verify(credentials);
  if (verified) {
    const { appPassword: _, ...rest } = verified;
    assertEquals(rest, { user, serverSignature: client.serverSignature });
  }
  return verified !== undefined;
}

/** Registers the contract's tests. */
export function userDirectoryContract(
  name: string,
  make: MakeUserDirectory,
  { clear, colons = true }: UserDirectoryTraits,
): void {
  const test = (title: string, body: (directory: UserDirectory) => Promise<void>): void =>
    Deno.test(`${name} ${title}`, async () => {
      await using directory = await make();
      await body(directory);
    });

  test("takes right passwords, again and again", async (directory) => {
    for (let round = 0; round < 3; round++) {
      assertEquals(await directory.verify(password("ann", "tanstaaf")), { user: "ann" });
      assertEquals(await directory.verify(password("üml", "pässword")), { user: "üml" });
      if (colons) assertEquals(await directory.verify(password("bob", "a b:c")), { user: "bob" });
    }
  });

  test("refuses wrong passwords, near misses and unknown names", async (directory) => {
    await directory.verify(password("ann", "tanstaaf"));
    const wrong = ["", "tanstaa", "tanstaaff", "Tanstaaf", " tanstaaf", "tanstaaf ", "tanstaaf\n"];
    for (const attempt of [...wrong, "a b:c", "x".repeat(20_000)]) {
      assertEquals(await directory.verify(password("ann", attempt)), undefined, attempt);
    }
    for (const user of ["", "an", "annn", "Ann", "nobody", "a\u0000nn", "__proto__"]) {
      assertEquals(await directory.verify(password(user, "tanstaaf")), undefined, user);
      assertEquals(await directory.verify(password(user, "")), undefined, user);
    }
  });

  test("takes SCRAM proofs and proves itself", async (directory) => {
    assertEquals(directory.scramForAll, true);
    for (let round = 0; round < 2; round++) {
      assertEquals(await scram(directory, "ann", "tanstaaf"), true);
      assertEquals(await scram(directory, "ann", "tanstaaF"), false);
      assertEquals(await scram(directory, "üml", "pässword"), true);
      assertEquals(await scram(directory, "nobody", "tanstaaf"), false);
    }
  });

  test("refuses proofs of any wrong length", async (directory) => {
    const authMessage = "n=ann";
    for (const length of [0, 1, 31, 33, 64]) {
      for (const user of ["ann", "nobody"]) {
        const proof = new Uint8Array(length);
        const mechanism = "SCRAM-SHA-256";
        const credentials = { kind: "scram", mechanism, user, authMessage, proof } as const;
        assertEquals(await directory.verify(credentials), undefined);
      }
    }
  });

  test("tells the same salt each time, also for names that nobody has", async (directory) => {
    for (const user of ["ann", "nobody"]) {
      const first = await directory.scramParameters(user);
      assertEquals(first.salt.length, 16);
      assertEquals(first.iterations, 4096);
      assertEquals(await directory.scramParameters(user), first);
    }
    const [ann, nobody] = await Promise.all(
      ["ann", "nobody"].map((user) => directory.scramParameters(user)),
    );
    assertNotEquals(ann?.salt, nobody?.salt);
    assertNotEquals((await directory.scramParameters("nobody2")).salt, nobody?.salt);
  });

  test(clear ? "takes APOP digests" : "has no APOP without clear passwords", async (directory) => {
    // The example of RFC 1939, section 7, whose secret is ann's password here.
    const apop = {
      kind: "apop",
      mechanism: "APOP",
      user: "ann",
      timestamp: "<1896.697170952@dbc.mtview.ca.us>",
      digest: "c4c9334bac560ecc979e58001b3e22fb",
    } as const;
    assertEquals(await directory.verify(apop), clear ? { user: "ann" } : undefined);
    const upper = { ...apop, digest: apop.digest.toUpperCase() };
    assertEquals(await directory.verify(upper), clear ? { user: "ann" } : undefined);
    assertEquals(await directory.verify({ ...apop, user: "üml" }), undefined);
    assertEquals(await directory.verify({ ...apop, digest: "" }), undefined);
    // The digest of the timestamp alone, which an unknown name must not be fooled by.
    const alone = { ...apop, timestamp: "", digest: "d41d8cd98f00b204e9800998ecf8427e" };
    assertEquals(await directory.verify({ ...alone, user: "nobody" }), undefined);
    assertEquals(await directory.verify(alone), undefined);
  });

  test("takes bearer tokens of its own users only", async (directory) => {
    const bearer = (token: string, user?: string): Credentials => ({
      kind: "bearer",
      mechanism: "OAUTHBEARER",
      user,
      token,
    });
    assertEquals(await directory.verify(bearer("good for ann", "ann")), { user: "ann" });
    assertEquals(await directory.verify(bearer("good for ann")), { user: "ann" });
    assertEquals(await directory.verify(bearer("bad", "ann")), undefined);
    assertEquals(await directory.verify(bearer("good for nobody", "nobody")), undefined);
  });

  test("checks many at once", async (directory) => {
    const attempts = Array.from(
      { length: 60 },
      (_, n) => directory.verify(password("ann", n % 3 === 0 ? "tanstaaf" : `wrong ${n}`)),
    );
    const verified = await Promise.all(attempts);
    assert(verified.every((outcome, n) => (outcome !== undefined) === (n % 3 === 0)));
  });
}

/** The bearer verifier that the contract needs. */
export function contractBearer(token: string): Promise<string | undefined> {
  return Promise.resolve(/^good for (.+)$/.exec(token)?.[1]);
}
