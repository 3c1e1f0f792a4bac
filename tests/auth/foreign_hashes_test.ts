// Other servers' hashes: several at once, each asker in its turn, no check without an end, and refusals that cost the same.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { bcrypt } from "hash-wasm";
import { ForeignHashes } from "../../lib/auth/foreign_hashes/foreign_hashes.ts";
import { UnlearnedHashes } from "../../lib/auth/foreign_hashes/unlearned_hashes.ts";
import { UserDirectoryError } from "../../lib/contracts/user_directory.ts";
import type { ForeignHash } from "../../lib/contracts/user_source.ts";

const ROOT = new URL("../../", import.meta.url);

/** Of "correct horse", by crypt(3). */
const CHEAP: ForeignHash = {
  scheme: "SHA512-CRYPT",
  data:
    "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
};

/** Nobody's. */
function sha512(rounds: number): ForeignHash {
  return { scheme: "SHA512-CRYPT", data: `$6$rounds=${rounds}$a$${"a".repeat(86)}` };
}

const ask = { password: "wrong", own: undefined, costliest: CHEAP, from: "192.0.2.1", user: "ann" };

Deno.test("sha512_rounds.wasm is what `deno task sha512-rounds` makes of its source", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const rebuilt = `${folder}/rounds.wasm`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "sha512-rounds", "-o", rebuilt],
      cwd: ROOT,
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const checkedIn = await Deno.readFile(
      new URL("lib/auth/foreign_hashes/sha512_rounds/sha512_rounds.wasm", ROOT),
    );
    assertEquals(await Deno.readFile(rebuilt), checkedIn, "run `deno task sha512-rounds`");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("foreign hashes are checked for each asker in turn", async () => {
  using hashes = new ForeignHashes({ threads: 1 });
  const order: string[] = [];
  const check = (from: string, user: string): Promise<void> =>
    hashes.verify({ ...ask, own: CHEAP, from, user }).then(() => void order.push(from));
  const crowd = Array.from({ length: 10 }, (_, turn) => check("192.0.2.1", `user${turn}`));
  await Promise.all([...crowd, check("192.0.2.2", "ann")]);
  assert(order.indexOf("192.0.2.2") <= 2, order.join(" "));
});

Deno.test("foreign hashes: one user's guessers do not fill the queue", async () => {
  using hashes = new ForeignHashes({ threads: 1 });
  const guesses = await Promise.allSettled(
    Array.from(
      { length: 50 },
      (_, turn) => hashes.verify({ ...ask, own: CHEAP, from: `192.0.2.${turn}`, user: "ann" }),
    ),
  );
  const refused = guesses.filter(({ status }) => status === "rejected");
  assertEquals(refused.length, 30);
  const right = { ...ask, password: "correct horse", own: CHEAP, user: "bob" };
  assertEquals(await hashes.verify(right), true);
});

Deno.test("foreign hashes: a check that takes too long is given up, and the next one is made", async () => {
  using hashes = new ForeignHashes({ threads: 1, timeLimit: 1500 });
  const slow = hashes.verify({ ...ask, own: sha512(99_000_000) });
  const next = hashes.verify({ ...ask, own: CHEAP, password: "correct horse", user: "bob" });
  const error = await assertRejects(() => slow, UserDirectoryError);
  assertEquals(
    error.message,
    "An imported password hash could not be checked: it took too long",
  );
  assertEquals(await next, true);
  // Of a name that has no hash it is known what came of it.
  assertEquals(await hashes.verify({ ...ask, costliest: sha512(99_000_000) }), false);
});

Deno.test("foreign hashes: what waits is refused when the server ends", async () => {
  const hashes = new ForeignHashes({ threads: 1, keep: 60_000 });
  assertEquals(await hashes.verify({ ...ask, own: CHEAP }), false);
  const waiting = [1, 2, 3].map(() => hashes.verify({ ...ask, own: sha512(99_000_000) }));
  hashes[Symbol.dispose]();
  for (const each of waiting) await assertRejects(() => each, UserDirectoryError);
});

Deno.test("foreign hashes: a refusal works as long for nobody and for a cheap hash as for the costliest", async () => {
  const salt = new Uint8Array(16).fill(7);
  const data = await bcrypt({ password: "x", salt, costFactor: 9, outputType: "encoded" });
  const costliest: ForeignHash = { scheme: "BLF-CRYPT", data };
  using hashes = new ForeignHashes({ threads: 1, keep: 60_000 });
  const timed = async (own: ForeignHash | undefined): Promise<number> => {
    const begun = performance.now();
    assertEquals(await hashes.verify({ ...ask, own, costliest }), false);
    return performance.now() - begun;
  };
  const kinds = { nobody: undefined, cheap: CHEAP, costly: costliest };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < 11; round++) {
    for (const [kind, own] of Object.entries(kinds)) (times[kind] ??= []).push(await timed(own));
  }
  const middle = (kind: string): number => times[kind]!.sort((one, other) => one - other)[5]!;
  // The machine may be busy; by itself the cheap hash takes a tenth of the costly one's time.
  for (const kind of ["nobody", "cheap"]) {
    const ratio = middle(kind) / middle("costly");
    assert(ratio > 0.5 && ratio < 2, `${kind}: ${ratio}`);
  }
});

Deno.test("unlearned hashes know the costliest, whoever comes and goes", () => {
  const hashes = new UnlearnedHashes();
  assertEquals(hashes.costliest, undefined);
  hashes.set("ann", sha512(5000));
  hashes.set("bob", sha512(900_000));
  hashes.set("cleo", CHEAP);
  assertEquals([hashes.size, hashes.costliest], [3, sha512(900_000)]);
  hashes.set("bob", sha512(5000));
  assertEquals(hashes.costliest, sha512(5000));
  for (const name of ["ann", "bob", "cleo", "nobody"]) hashes.delete(name);
  assertEquals([hashes.size, hashes.costliest], [0, undefined]);
});
