/** The worker that checks other servers' password hashes: they take up to seconds, and the event loop must not wait. */

import { argon2Verify, bcryptVerify } from "hash-wasm";
import type { ForeignAnswer, ForeignQuestion } from "./foreign_hashes.ts";
import { verifySha512Crypt } from "./sha512_crypt.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<ForeignQuestion>) => void;
  postMessage(answer: ForeignAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ right: await verify(data) });
  } catch (error) {
    scope.postMessage({ trouble: error instanceof Error ? error.message : String(error) });
  }
};

async function verify({ password, hash }: ForeignQuestion): Promise<boolean> {
  switch (hash.scheme) {
    case "SHA512-CRYPT":
      return verifySha512Crypt(password, hash.data);
    case "BLF-CRYPT":
      return await bcryptVerify({ password, hash: hash.data });
    case "ARGON2ID":
      return await argon2Verify({ password, hash: hash.data });
  }
}
