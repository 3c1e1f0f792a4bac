/** What a directory takes to verify a password: remembered, and compared as plain text. The aim: at most 1.2 times. */

import { DEFAULT_ITERATIONS } from "../../lib/auth/scram_keys.ts";
import { PasswordWork } from "../../lib/auth/password_work.ts";
import { PlainUsers } from "../../lib/auth/plain_users.ts";
import { madeUpSalting, SourceDirectory } from "../../lib/auth/source_directory.ts";
import type { FoundUser, UserSource } from "../../lib/contracts/user_source.ts";

const secret = new Uint8Array(32);
const credentials = {
  kind: "password",
  user: "ada",
  password: "a password of some length",
  mechanism: "USER",
} as const;

const plain = new SourceDirectory({
  sources: [new PlainUsers([[credentials.user, credentials.password]], { secret })],
  secret,
});

const salting = madeUpSalting(secret, credentials.user, DEFAULT_ITERATIONS);
const keys = await new PasswordWork().derive(credentials.password, salting);
const found: FoundUser = { name: credentials.user, revision: "1", ...salting, keys: [keys] };
/** Keys that are at hand, so that only the directory is measured and not the state file. */
const hashed: UserSource = {
  costliestForeign: undefined,
  find: (name) => Promise.resolve(name === found.name ? found : undefined),
  learn: () => Promise.resolve(),
};
const remembering = new SourceDirectory({ sources: [hashed], secret });
for (const directory of [plain, remembering]) {
  if (await directory.verify(credentials) === undefined) throw new Error("The password is right.");
}

Deno.bench("plain text compared", { group: "password", baseline: true }, async () => {
  await plain.verify(credentials);
});

Deno.bench("password remembered", { group: "password" }, async () => {
  await remembering.verify(credentials);
});
