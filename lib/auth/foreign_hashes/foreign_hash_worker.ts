/** The worker that checks other servers' password hashes: they take up to a second, and the event loop must not wait. */

import { argon2Verify, bcryptVerify } from "hash-wasm";
import type { ForeignHash } from "../../contracts/user_source.ts";
import { type ForeignAnswer, type ForeignQuestion, STARTED } from "./foreign_messages.ts";
import { verifyCramMd5 } from "./cram_md5.ts";
import { verifyMd5Crypt } from "./md5_crypt.ts";
import { verifyPbkdf2, verifyScramSha1 } from "./pbkdf2_hashes.ts";
import { PLAIN_DIGESTS, verifyPlainDigest } from "./plain_digests.ts";
import { verifySha256Crypt } from "./sha256_crypt.ts";
import { spendTime, verifySha512Crypt } from "./sha512_crypt.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<ForeignQuestion>) => void;
  postMessage(answer: ForeignAnswer | typeof STARTED): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage(await answer(data));
  } catch (error) {
    scope.postMessage({ trouble: error instanceof Error ? error.message : String(error) });
  }
};

scope.postMessage(STARTED);

/** Checks the user's own hash, and makes a refusal cost what the costliest one does. */
async function answer(question: ForeignQuestion): Promise<ForeignAnswer> {
  const { password, own, decoy, spend, timeLimit } = question;
  const begun = performance.now();
  const until = begun + timeLimit;
  if (own !== undefined && await verify(password, own, until)) return { right: true };
  if (decoy === undefined) return { right: false };
  if (own !== undefined && spend !== undefined) {
    spendTime(begun + spend);
    return { right: false };
  }
  const decoyBegun = performance.now();
  await verify(password, decoy, until);
  return { right: false, decoyTook: performance.now() - decoyBegun };
}

/** Only SHA256-CRYPT and SHA512-CRYPT can be given up midway; of the others, what a hash may cost is bounded where it is read. */
async function verify(password: string, hash: ForeignHash, until: number): Promise<boolean> {
  switch (hash.scheme) {
    case "SHA512-CRYPT":
      return verifySha512Crypt(password, hash.data, until);
    case "SHA256-CRYPT":
      return verifySha256Crypt(password, hash.data, until);
    case "MD5-CRYPT":
      return verifyMd5Crypt(password, hash.data);
    case "BLF-CRYPT":
      return await bcryptVerify({ password, hash: hash.data });
    case "ARGON2I":
    case "ARGON2ID":
      return await argon2Verify({ password, hash: hash.data });
    case "PBKDF2":
      return verifyPbkdf2(password, hash.data);
    case "SCRAM-SHA-1":
      return verifyScramSha1(password, hash.data);
    case "CRAM-MD5":
      return verifyCramMd5(password, hash.data);
    default: {
      const digest = PLAIN_DIGESTS[hash.scheme];
      return digest !== undefined && verifyPlainDigest(digest, password, hash.data);
    }
  }
}
